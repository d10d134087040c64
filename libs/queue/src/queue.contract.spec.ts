import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  assertRedisAnswers,
  GiveUp,
  type Handler,
  JobConsumer,
  JobQueue,
  QueueConnection,
  type RedisAddress,
  type Settled,
} from './index.js';
import { PrivateRedis } from './private-redis.js';

type Fit = { deviceClassId: string; campaignId: string | null; request: { form: string; seed: number } };
const fit = (deviceClassId: string): Fit => ({
  deviceClassId,
  campaignId: null,
  request: { form: 'auto', seed: 1 },
});

let directory: string;
let redis: PrivateRedis;
let address: RedisAddress;
let connection: QueueConnection;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-queue-'));
  redis = await PrivateRedis.start({ directory });
  address = redis.address;
}, 30_000);
beforeEach(() => {
  connection = new QueueConnection(address);
});
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
  connection.close();
  const client = new Redis(redis.port, { password: address.password ?? '' });
  await client.flushall();
  client.disconnect();
});
afterAll(async () => {
  await redis.stop();
  await rm(directory, { recursive: true });
});

function fitQueue(): JobQueue<'fit'> {
  const queue = new JobQueue('fit', connection, { keepSettledS: 3_600 });
  open.push(queue);
  return queue;
}

async function consume(handler: Handler<'fit'>): Promise<JobConsumer<'fit'>> {
  const consumer = new JobConsumer('fit', address, handler);
  open.unshift({ close: () => consumer.finish() });
  await consumer.start();
  return consumer;
}

/** Repeats the call until the answer is good; otherwise the time limit of the test ends it. */
async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
  }
}

/** How a job ended, as soon as it has ended. */
async function endOf(queue: JobQueue<'fit'>, id: string): Promise<Settled<'fit'>> {
  const found = await until(
    () => queue.state(id),
    (state) => state?.state === 'settled',
  );
  if (found?.state !== 'settled') throw new Error('not settled');
  return found.settled;
}

describe('job queue', () => {
  it('carries payloads and results, each once, even if they are submitted several times', async () => {
    const queue = fitQueue();
    const entries = [1, 2, 3].map((n) => ({ id: `job${n}`, payload: fit(`class-${n}`) }));
    await queue.submit(entries);
    await queue.submit(entries);
    expect(await queue.counts()).toEqual({ waiting: 3, active: 0 });

    const seen: string[] = [];
    await consume((payload) => {
      seen.push(payload.deviceClassId);
      return Promise.resolve({ modelId: `${payload.deviceClassId}-v1` });
    });
    const ends = [];
    for (const { id } of entries) ends.push(await endOf(queue, id));
    expect(seen).toEqual(['class-1', 'class-2', 'class-3']);
    expect(ends).toEqual([1, 2, 3].map((n) => ({ ok: true, result: { modelId: `class-${n}-v1` } })));
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 });
  }, 30_000);

  it('does not keep the result of a job when nobody will request it', async () => {
    const queue = new JobQueue('fit', connection);
    open.push(queue);
    await queue.submit([{ id: 'gone', payload: fit('c') }]);
    await consume(() => Promise.resolve({ modelId: 'm' }));
    await until(
      () => queue.state('gone'),
      (state) => state === null,
    );
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 });
  }, 30_000);

  it('tries a failing job three times, a job that gave up once, and returns the reason', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'fails', payload: fit('fails') }]);
    await queue.submit([{ id: 'hopeless', payload: fit('hopeless') }]);
    const tries: string[] = [];
    await consume(({ deviceClassId }) => {
      tries.push(deviceClassId);
      return Promise.reject(
        deviceClassId === 'hopeless' ? new GiveUp('no such device') : new Error('disk away'),
      );
    });
    expect(await endOf(queue, 'hopeless')).toEqual({ ok: false, reason: 'no such device' });
    expect(await endOf(queue, 'fails')).toEqual({ ok: false, reason: 'disk away' });
    expect(tries).toEqual(['fails', 'hopeless', 'fails', 'fails']);
  }, 30_000);

  it('returns the result of a job that failed first and then succeeded', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'second-try', payload: fit('s') }]);
    let tries = 0;
    await consume(() => {
      tries += 1;
      return tries === 1 ? Promise.reject(new Error('disk away')) : Promise.resolve({ modelId: 'm' });
    });
    expect(await endOf(queue, 'second-try')).toEqual({ ok: true, result: { modelId: 'm' } });
  }, 30_000);

  it('reports how a job ended, also to a request at the moment of its end', async () => {
    const queue = fitQueue();
    const ids = Array.from({ length: 100 }, (_, i) => `asked-${i}`);
    await queue.submit(ids.map((id) => ({ id, payload: fit(id) })));
    await consume(() => Promise.resolve({ modelId: 'm' }));
    const ends = await Promise.all(ids.map((id) => endOf(queue, id)));
    expect(ends.filter(({ ok }) => !ok)).toEqual([]);
    expect(ends).toHaveLength(ids.length);
  }, 30_000);

  it('treats a malformed result as a failure', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'bad', payload: fit('bad') }]);
    await consume(() => Promise.resolve({ modelId: 'Not An Id' }));
    expect(await endOf(queue, 'bad')).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/malformed result \(modelId/),
    });
  }, 30_000);

  it('removes waiting jobs and leaves active jobs', async () => {
    const queue = fitQueue();
    await queue.submit(['a', 'b', 'c'].map((id) => ({ id, payload: fit(id) })));
    let begun: () => void = () => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await consume(async (payload) => {
      begun();
      await released;
      return { modelId: payload.deviceClassId };
    });
    await isBegun;
    expect(await queue.withdraw(['a', 'b', 'c'])).toBe(2);
    release();
    expect(await endOf(queue, 'a')).toMatchObject({ ok: true });
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 });
  }, 30_000);
});

describe('the connection of an idle coordinator', () => {
  it('is replaced after its packets are dropped silently', async () => {
    // From here on, nothing gets through from the first connection.
    let isDropping = false;
    const sockets: Socket[] = [];
    const proxy = createServer((client) => {
      const upstream = connect({ port: redis.port, host: '127.0.0.1' });
      const isFirst = sockets.length === 0;
      sockets.push(client, upstream);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.on('error', () => undefined);
        from.on('data', (piece) => {
          if (!(isFirst && isDropping)) to.write(piece);
        });
      }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const dropped = new QueueConnection({ ...address, url: `redis://127.0.0.1:${port}` }, 300);
    try {
      await dropped.ping();
      const reconnected = new Promise<void>((resolve) => {
        dropped.onReconnect(resolve);
      });
      isDropping = true;
      await reconnected;
      await expect(dropped.ping()).resolves.toBeUndefined();
    } finally {
      dropped.close();
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  });
});

describe('private Redis', () => {
  it('keeps its data, port and password over a restart, and takes over a server that was left running', async () => {
    const own = await mkdtemp(join(tmpdir(), 'alphaflops-redis-'));
    try {
      const first = await PrivateRedis.start({ directory: own });
      const before = new QueueConnection(first.address);
      const queue = new JobQueue('fit', before);
      await queue.submit([{ id: 'stays', payload: fit('s') }]);
      await queue.close();
      before.close();
      const again = await PrivateRedis.start({ directory: own });
      expect(again.pid).toBe(first.pid);
      await again.stop();
      const third = await PrivateRedis.start({ directory: own });
      expect([third.port, third.address]).toEqual([first.port, first.address]);
      expect(third.pid).not.toBe(first.pid);
      const after = new QueueConnection(third.address);
      const reopened = new JobQueue('fit', after);
      expect(await reopened.counts()).toEqual({ waiting: 1, active: 0 });
      await reopened.close();
      after.close();
      await third.stop();
    } finally {
      await rm(own, { recursive: true });
    }
  }, 60_000);

  it('reports what to install when the server program is missing', async () => {
    const own = await mkdtemp(join(tmpdir(), 'alphaflops-redis-'));
    await expect(
      PrivateRedis.start({ directory: own, program: 'no-such-redis-server' }),
    ).rejects.toMatchObject({
      code: 'redis-missing',
      message: expect.stringContaining('apt-get install redis-server'),
    });
    await rm(own, { recursive: true });
  });

  it('reports the address that does not answer, without the password', async () => {
    const away = { url: 'redis://:hush@127.0.0.1:1' };
    await expect(assertRedisAnswers(away)).rejects.toMatchObject({
      code: 'redis-unreachable',
      message: expect.not.stringContaining('hush'),
    });
    await expect(assertRedisAnswers({ url: 'localhost' })).rejects.toMatchObject({ code: 'bad-address' });
  });
});
