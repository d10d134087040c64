import { collectDefaultMetrics, Registry } from 'prom-client';

/** The metrics of one process, with those of Node itself in it. Whatever counts something registers with it. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
