import { join } from 'node:path';
import { startMongoServer } from '../../test/support/mongodb.js';
import { Stack } from '../../test/support/stack.js';
import type { Benchmark, Row } from './benchmark.js';
import { CAMPAIGN, fill, PART } from './filled-store.js';
import { quantile } from './figures.js';

const PAGES = {
  'page of campaigns': '/v1/campaigns?limit=50',
  'one campaign': `/v1/campaigns/${CAMPAIGN}`,
  'progress of a campaign': `/v1/campaigns/${CAMPAIGN}/progress`,
  'page of samples of a campaign': `/v1/samples?campaignId=${CAMPAIGN}&limit=100`,
};

const NOT_A_MILLION =
  'on SecantusDB, which takes hours to store a million; a `mongod` on PATH or MONGODB_URI is filled with as many.';

/** The requests of the pages of a running campaign, with few and with many stored samples. */
export const pages: Benchmark = {
  what: 'progress and campaign pages with many samples (SQLite)',
  run: (scale) =>
    compare('SQLite', scale, (stack) => `sqlite:${join(stack.directory, 'data/alphaflops.sqlite')}`),
};

export const pagesMongodb: Benchmark = {
  what: 'progress and campaign pages with many samples (MongoDB protocol)',
  run: async (scale) => {
    const server = await startMongoServer();
    if (server.skip !== null) throw new Error(`no MongoDB server: ${server.skip}`);
    try {
      const isSlow = server.name?.startsWith('secantusdb') ?? false;
      return await compare('MongoDB protocol', isSlow && scale === 'full' ? 'fewer' : scale, () =>
        server.database(),
      );
    } finally {
      await server.stop();
    }
  },
};

/** Samples in the two stores, and requests of one round. `fewer` is for a server that needs hours to fill. */
const SIZES = {
  full: [1_000_000, 10_000, 200],
  fewer: [100_000, 10_000, 200],
  small: [2 * PART, PART, 5],
} as const;

async function compare(
  name: string,
  scale: keyof typeof SIZES,
  storeOf: (stack: Stack) => string,
): Promise<Row[]> {
  const [many, few, requests] = SIZES[scale];
  const stacks: Stack[] = [];
  const open = async (samples: number): Promise<Stack> => {
    const settings = { ALPHAFLOPS_REQUESTS_PER_MINUTE: '1000000000', ALPHAFLOPS_LOG_LEVEL: 'error' };
    const stack = await Stack.prepare(settings);
    stacks.push(stack);
    const store = storeOf(stack);
    await fill(store, samples);
    await stack.startCoordinator({ ALPHAFLOPS_STORE: store });
    return stack;
  };
  try {
    const [large, small] = [await open(many), await open(few)];
    const rows: Row[] = [];
    for (const [page, path] of Object.entries(PAGES)) {
      const figures = { ours: [] as number[], theirs: [] as number[] };
      await times(large, small, path, requests);
      for (let round = 0; round < (scale === 'small' ? 1 : 5); round += 1) {
        const { ours, theirs } = await times(large, small, path, requests);
        figures.ours.push(quantile(ours, 0.99));
        figures.theirs.push(quantile(theirs, 0.99));
      }
      const [of, against] = [many.toLocaleString('en'), few.toLocaleString('en')];
      rows.push({
        what: `${page}, p99, at ${of} samples (${name})`,
        comparedWith: `the same at ${against}`,
        unit: 'ms',
        ...figures,
        ...{ judge: 'ratio', must: 2, goal: 1.2 },
        ...(scale === 'fewer' && { note: NOT_A_MILLION }),
      });
    }
    return rows;
  } finally {
    for (const stack of stacks) await stack.stop();
  }
}

/** Times of requests in milliseconds. The two sides get requests alternately. */
async function times(large: Stack, small: Stack, path: string, count: number) {
  const found = { ours: [] as number[], theirs: [] as number[] };
  const ask = async ({ url, token }: Stack): Promise<number> => {
    const start = performance.now();
    const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${text}`);
    return performance.now() - start;
  };
  for (let i = 0; i < count; i += 1) {
    found.ours.push(await ask(large));
    found.theirs.push(await ask(small));
  }
  return found;
}
