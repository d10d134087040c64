import { Stack, until } from '../../test/support/stack.js';
import type { Benchmark } from './benchmark.js';
import { seconds } from './figures.js';

const SPECS = 20;

/** A coordinator with work in its store, and a worker that has joined, as `alphaflops up` starts them: one after the other. */
export const coldStart: Benchmark = {
  what: 'cold start of coordinator and worker to the first recorded batch',
  run: async (scale) => {
    const times: number[] = [];
    for (let round = 0; round < (scale === 'full' ? 7 : 1); round += 1) times.push(await start());
    return [
      {
        what: 'cold start of coordinator and worker to the first recorded batch',
        comparedWith: null,
        unit: 's',
        ours: times,
        theirs: [],
        judge: 'ours',
        must: 4,
        goal: 2,
        note: 'Redis runs; the coordinator is started, and when it answers the worker (fake executor), as `alphaflops up` does.',
      },
    ];
  },
};

async function start(): Promise<number> {
  const stack = await Stack.start();
  try {
    const credentials = await stack.enrol('bench');
    const { data: classes } = await stack.api.GET('/v1/device-classes');
    const { data: campaign } = await stack.api.POST('/v1/campaigns', {
      body: {
        name: 'bench',
        design: { name: 'random', seed: 1 },
        target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
        budget: { specs: SPECS },
        repeats: 0,
        replicates: 1,
      },
    });
    const path = { params: { path: { id: campaign?.id ?? '' } } };
    await until(
      () => stack.api.GET('/v1/campaigns/{id}', path),
      ({ data }) => data?.state === 'running',
    );
    await stack.stopCoordinator();
    return await seconds(async () => {
      await stack.startCoordinator();
      stack.startWorker(credentials);
      await until(
        () => stack.api.GET('/v1/campaigns/{id}/progress', path),
        ({ data }) => (data?.recordedSlots ?? 0) > 0,
      );
    });
  } finally {
    await stack.stop();
  }
}
