import type { Campaign } from '@alphaflops/contracts';
import { KEY_PREFIX, queueName } from '@alphaflops/queue';
import { Queue } from 'bullmq';
import { Stack, until } from '../../test/support/stack.js';
import type { Benchmark, Row, Scale } from './benchmark.js';
import { interleave, seconds } from './figures.js';

/** Jobs per addBulk, the same number as in the product. */
const BULK = 1_000;

/** From the request for a campaign to its last batch in Redis, against BullMQ alone with the same payloads. */
export const planning: Benchmark = {
  what: 'planning, storing (SQLite) and enqueuing a campaign',
  run: async (scale) => {
    const specs = scale === 'full' ? 100_000 : 200;
    const stack = await Stack.start();
    try {
      return [await row(stack, specs, scale)];
    } finally {
      await stack.stop();
    }
  },
};

async function row(stack: Stack, specs: number, scale: Scale): Promise<Row> {
  await stack.enrol('bench');
  const { data } = await stack.api.GET('/v1/device-classes');
  const targetId = data?.items[0]?.id ?? '';
  const password = stack.redis.address.password ?? '';
  const open = (name: string) =>
    new Queue(name, { connection: { port: stack.redis.port, password }, prefix: KEY_PREFIX });
  const [queue, bare] = [open(queueName('measure', targetId)), open('bare')];

  let payloads: object[] = [];
  const ours = async () => {
    const start = Date.now();
    const created = await stack.api.POST('/v1/campaigns', {
      body: {
        name: 'bench',
        design: { name: 'networklike', seed: 1 },
        target: { kind: 'device-class', deviceClassId: targetId },
        budget: { specs },
        repeats: 0,
        replicates: 1,
      },
    });
    if (created.data === undefined) throw new Error(`no campaign: ${JSON.stringify(created.error)}`);
    const { id } = created.data;
    const running = await until(
      () => campaign(stack, id),
      ({ state }) => state === 'running',
    );
    // The coordinator uses the same clock, because it runs on this machine.
    const end = Date.parse(running.history.find(({ state }) => state === 'running')?.at ?? '');
    payloads = await waiting(queue);
    const batches = Math.ceil(specs / running.batchSize);
    if (payloads.length !== batches) throw new Error(`${payloads.length} batches are queued, not ${batches}`);
    // Removes its batches.
    await stack.api.POST('/v1/campaigns/{id}/cancel', { params: { path: { id } }, body: {} });
    await until(
      () => queue.getWaitingCount(),
      (count) => count === 0,
    );
    return (end - start) / 1000;
  };
  const theirs = async () => {
    const time = await seconds(async () => {
      for (let at = 0; at < payloads.length; at += BULK) {
        await bare.addBulk(payloads.slice(at, at + BULK).map((data) => ({ name: 'measure', data })));
      }
    });
    await bare.obliterate({ force: true });
    return time;
  };
  try {
    await ours();
    await theirs();
    const figures = await interleave(scale === 'full' ? 3 : 1, { ours, theirs });
    const batches = `${payloads.length.toLocaleString('en')} batches`;
    return {
      what: `planning, storing and enqueuing ${specs.toLocaleString('en')} specs`,
      comparedWith: `BullMQ \`addBulk\` of the same ${batches}`,
      unit: 's',
      ...figures,
      judge: 'ratio',
      must: 2,
      goal: 1.2,
      note: `from the request to the last batch in Redis, coordinator and SQLite included; ${payloadMb(payloads)} MB of payloads.`,
    };
  } finally {
    await queue.close();
    await bare.close();
  }
}

async function campaign(stack: Stack, id: string): Promise<Campaign> {
  const { data } = await stack.api.GET('/v1/campaigns/{id}', { params: { path: { id } } });
  return data as Campaign;
}

async function waiting(queue: Queue): Promise<object[]> {
  const found: object[] = [];
  for (let at = 0; ; at += BULK) {
    const jobs = await queue.getJobs(['waiting'], at, at + BULK - 1);
    found.push(...jobs.map(({ data }) => data as object));
    if (jobs.length < BULK) return found;
  }
}

function payloadMb(payloads: readonly object[]): string {
  return (payloads.reduce((sum, payload) => sum + JSON.stringify(payload).length, 0) / 1e6).toFixed(1);
}
