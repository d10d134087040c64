import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Stores } from '@alphaflops/store';
import { collect } from '@alphaflops/store/conformance';
import { openTestStores, startTestServer, type TestStores } from './server.spec-helper.js';

/** Real processes on one database. The children run the build. */
const LIBRARY = join(import.meta.dirname, '..');
const BATCH_SIZE = 40;
const ROUNDS = 4;

/** Each group of tests has its own database: leftovers of killed processes in one must not slow down the other. */
const servers = { 'where-supported': await startTestServer(), never: await startTestServer() };
const { skip } = servers.never.server;
const replicaSet = servers.never.server.skip === undefined ? servers.never.server.replicaSet : null;
afterAll(async () => {
  for (const { stop } of Object.values(servers)) await stop();
});

if (skip !== undefined) it.skip(`processes on MongoDB (skipped: ${skip})`, () => undefined);

if (skip === undefined && replicaSet === null)
  it.skip('processes on MongoDB with transactions (skipped: the server is not a replica set)', () =>
    undefined);

const MODES: readonly ('where-supported' | 'never')[] =
  skip === undefined ? [...(replicaSet === null ? [] : (['where-supported'] as const)), 'never'] : [];

for (const transactions of MODES)
  describe(`processes that die while they record, transactions ${transactions}`, () => {
    const { server } = servers[transactions];
    const uri = server.skip === undefined ? (server.replicaSet ?? server.standalone ?? '') : '';
    let opened: TestStores;

    beforeAll(() => {
      if (!existsSync(join(LIBRARY, 'dist', 'index.js'))) {
        throw new Error('The children of this test run the build: run “npm run build” first.');
      }
    });
    beforeEach(async () => {
      opened = await openTestStores(uri, { transactions });
    });
    afterEach(() => opened.cleanUp(), 120_000);

    it('lose no confirmed batch, and counts agree with the samples', async () => {
      const { stores, database } = opened;
      const random = seededRandom(20260301);
      const confirmed = new Set<number>();
      let next = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const args = [uri, database.databaseName, transactions, String(next), String(BATCH_SIZE)];
        const child = spawn(process.execPath, [join(LIBRARY, 'test', 'record-loop.mjs'), ...args], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        const gone = once(child, 'exit');
        const batchesFirst = 1 + Math.floor(random() * 8);
        let heard = 0;
        for await (const line of createInterface(child.stdout)) {
          confirmed.add(Number(line));
          heard += 1;
          if (heard === batchesFirst) {
            await delay(random() * 40);
            child.kill('SIGKILL');
          }
        }
        await gone;
        expect(heard).toBeGreaterThanOrEqual(batchesFirst);

        const { streamed, counted } = await readStill(stores);
        expect(counted).toEqual(streamed);
        const total = [...streamed.values()].reduce((sum, recorded) => sum + recorded, 0);
        expect((await stores.samples.counts('campaign-a')).ok).toBe(total);
        for (const index of confirmed) expect(streamed.get(index)).toBe(BATCH_SIZE);
        // With transactions, an unconfirmed batch is complete or absent. Without transactions, it can be incomplete.
        if (stores.abilities.transactions) expect(total).toBe(streamed.size * BATCH_SIZE);
        expect(streamed.size - confirmed.size).toBeLessThanOrEqual(round + 1);
        // The transaction of the dead process locks its slots until the server aborts it, a minute later: use other
        // slots.
        next = Math.max(...streamed.keys()) + 2;
      }
    }, 120_000);
  });

/**
 * Returns the samples per batch, from the list and from the counters, with no recording between the two reads. The
 * server may still execute a request of a dead process.
 */
async function readStill({ samples }: Stores) {
  const count = async () => {
    const batches = await collect(samples.batchCounts('campaign-a'));
    return new Map(batches.map(({ batchIndex, recorded }) => [batchIndex, recorded]));
  };
  for (;;) {
    const counted = await count();
    const streamed = new Map<number, number>();
    for await (const { batchIndex } of samples.stream({})) {
      streamed.set(batchIndex, (streamed.get(batchIndex) ?? 0) + 1);
    }
    if (isDeepStrictEqual(counted, await count())) return { streamed, counted };
  }
}

/** mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
