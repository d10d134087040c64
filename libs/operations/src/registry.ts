import { collectDefaultMetrics, Registry } from 'prom-client';

/** The metrics of one process, including those of Node itself. Every counter registers here. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
