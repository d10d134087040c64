import type { Benchmark } from './benchmark.js';

/** Every benchmark under the name that `npm run bench -- NAME` takes, in the order of docs/benchmarks.md. */
export const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  campaign: async () => (await import('./campaigns.js')).campaign,
  'campaign-mongodb': async () => (await import('./campaigns.js')).campaignMongodb,
  recording: async () => (await import('./recording.js')).recording,
  fleet: async () => (await import('./fleet.js')).fleet,
  dispatch: async () => (await import('./dispatch.js')).dispatch,
  planning: async () => (await import('./planning.js')).planning,
  pages: async () => (await import('./pages.js')).pages,
  'pages-mongodb': async () => (await import('./pages.js')).pagesMongodb,
  predictions: async () => (await import('./predictions.js')).predictions,
  parquet: async () => (await import('./parquet.js')).parquet,
  neighbours: async () => (await import('./neighbours.js')).neighbours,
  'cold-start': async () => (await import('./cold-start.js')).coldStart,
};
