import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { ConvSpec } from '@alphaflops/conv';
import { writeSpecs } from '@alphaflops/dataset';
import { fakeSpec } from '@alphaflops/executor/testing';
import { startMongoServer } from '../../test/support/mongodb.js';
import { end, Stack, until } from '../../test/support/stack.js';
import type { Benchmark, Row, Scale } from './benchmark.js';
import { interleave } from './figures.js';

/** Time to prepare a spec. With timing and check, a spec takes about 20 ms. */
const PREPARE_MS = 17;
const BARE_LOOP = resolve(import.meta.dirname, 'bare-loop.ts');
const ROUNDS = 3;
const NOTE =
  'from the request to the last stored sample, in a deployment that has measured before (the first batch of a worker’s life waits for its anchors); the fit is left out.';

/** A campaign through queue, child process, signing, recording and SQLite, against the executor in a plain loop. */
export const campaign: Benchmark = {
  what: 'a campaign on one worker (SQLite) against the bare executor in a loop',
  run: async (scale) => [
    await row({ scale, workers: 1, settings: {}, store: 'SQLite', must: 1.08, goal: 1.02 }),
  ],
};

/** The same with the MongoDB protocol and two workers that share the work, against two plain loops. */
export const campaignMongodb: Benchmark = {
  what: 'a campaign on two workers (MongoDB) against two processes with the bare executor',
  run: async (scale) => {
    const server = await startMongoServer();
    if (server.skip !== null) throw new Error(`no MongoDB server: ${server.skip}`);
    try {
      const settings = { MONGODB_URI: server.database() };
      const store = server.name ?? '';
      return [await row({ scale, workers: 2, settings, store, must: 1.12, goal: 1.03 })];
    } finally {
      await server.stop();
    }
  },
};

interface Setup {
  scale: Scale;
  workers: number;
  settings: Record<string, string>;
  store: string;
  must: number;
  goal: number;
}

async function row({ scale, workers, settings, store, must, goal }: Setup): Promise<Row> {
  const specs = specsOf(scale === 'full' ? 1_000 : 40);
  // Fits are not part of the measurement, and would run during the next one.
  const stack = await Stack.start({ ROLES: 'api,record', ...settings });
  const loops = await Promise.all(Array.from({ length: workers }, startLoop));
  try {
    for (let i = 0; i < workers; i += 1) {
      stack.startWorker(await stack.enrol(`bench-${i}`, 'fake-one'));
    }
    await measure(stack, specs.slice(0, scale === 'full' ? 100 : 10));
    const share = Math.ceil(specs.length / workers);
    const figures = await interleave(scale === 'full' ? ROUNDS : 1, {
      ours: () => measure(stack, specs),
      theirs: async () => {
        const each = loops.map((loop, i) => loopOver(loop, specs.slice(i * share, (i + 1) * share)));
        return Math.max(...(await Promise.all(each)));
      },
    });
    const count = specs.length.toLocaleString('en');
    return {
      what: `campaign of ${count} specs of ~20 ms, ${store}, ${workers === 1 ? 'one worker' : `${workers} workers`}`,
      comparedWith: `the bare executor in a loop${workers === 1 ? '' : `, in ${workers} processes`}`,
      unit: 's',
      ...figures,
      judge: 'ratio',
      must,
      goal,
      note: NOTE,
    };
  } finally {
    await Promise.all(loops.map((loop) => end(loop, 'SIGKILL')));
    await stack.stop();
  }
}

function specsOf(count: number): ConvSpec[] {
  return Array.from({ length: count }, (_, i) => fakeSpec('slow', { width: PREPARE_MS, cin: i + 1 }));
}

/** Seconds until all is stored. */
async function measure(stack: Stack, specs: readonly ConvSpec[]): Promise<number> {
  const { data } = await stack.api.GET('/v1/device-classes');
  const deviceClassId = data?.items[0]?.id ?? '';
  let csv = '';
  for await (const piece of writeSpecs(specs)) csv += piece;
  const beganMs = performance.now();
  const created = await stack.api.POST('/v1/campaigns', {
    body: {
      name: 'bench',
      design: { name: 'csv', csv },
      target: { kind: 'device-class', deviceClassId },
      budget: { specs: specs.length },
      repeats: 0,
      protocol: 'gpu',
      replicates: 1,
    },
  });
  const id = created.data?.id ?? '';
  const path = { params: { path: { id } } };
  const { data: progress } = await until(
    () => stack.api.GET('/v1/campaigns/{id}/progress', path),
    ({ data: now }) => now?.recordedSlots === specs.length,
  );
  const seconds = (performance.now() - beganMs) / 1000;
  if (progress?.outcomes.ok !== specs.length) {
    throw new Error(`not all samples are ok: ${JSON.stringify(progress?.outcomes)}`);
  }
  return seconds;
}

async function startLoop(): Promise<ChildProcess> {
  const loop = fork(BARE_LOOP, { execArgv: ['--import', 'tsx'] });
  const ended = once(loop, 'exit').then(() => {
    throw new Error('the bare loop ended before it was ready');
  });
  await Promise.race([once(loop, 'message'), ended]);
  return loop;
}

async function loopOver(loop: ChildProcess, specs: readonly ConvSpec[]): Promise<number> {
  loop.send(specs);
  const [ms] = (await once(loop, 'message')) as [number];
  return ms / 1000;
}
