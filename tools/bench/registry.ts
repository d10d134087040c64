import type { Benchmark } from './benchmark.js';

/** Every benchmark under the name that `npm run bench -- NAME` takes, in the order of docs/benchmarks.md. */
export const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  planning: async () => (await import('./planning.js')).planning,
};
