import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  assertRedisAnswers,
  GiveUp,
  PutBack,
  type Handler,
  JobConsumer,
  JobQueue,
  measureJobId,
  PrivateRedis,
  QueueAccess,
  type RedisAddress,
  type Settled,
} from './index.js';

type Fit = { deviceClassId: string; campaignId: string | null; request: { form: string; seed: number } };
const fit = (deviceClassId: string): Fit => ({
  deviceClassId,
  campaignId: null,
  request: { form: 'auto', seed: 1 },
});

let directory: string;
let redis: PrivateRedis;
let address: RedisAddress;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-queue-'));
  redis = await PrivateRedis.start({ directory });
  address = redis.address;
}, 30_000);
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
  const client = new Redis(redis.port, { password: address.password ?? '' });
  await client.flushall();
  client.disconnect();
});
afterAll(async () => {
  await redis.stop();
  await rm(directory, { recursive: true });
});

function fitQueue(options: { claimMs?: number } = {}): JobQueue<'fit'> {
  const queue = new JobQueue('fit', address, options);
  open.push(queue);
  return queue;
}

async function consume(handler: Handler<'fit'>): Promise<JobConsumer<'fit'>> {
  const consumer = new JobConsumer('fit', address, handler);
  open.unshift({ close: () => consumer.finish() });
  await consumer.start();
  return consumer;
}

/** Collects until `count` jobs have settled; the condition comes from Redis, not from a clock. */
async function collectAll(queue: JobQueue<'fit'>, count: number): Promise<Settled<'fit'>[]> {
  const settled: Settled<'fit'>[] = [];
  while (settled.length < count) {
    await queue.collect((item) => {
      settled.push(item);
      return Promise.resolve();
    });
  }
  return settled;
}

/** Asks again and again until the answer will do; what ends it otherwise is the limit of the test. */
async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
  }
}

describe('job queue', () => {
  it('carries payloads and results, once each however often they are submitted', async () => {
    const queue = fitQueue();
    const entries = [1, 2, 3].map((n) => ({ id: `job${n}`, payload: fit(`class-${n}`) }));
    await queue.submit(entries);
    await queue.submit(entries);
    expect(await queue.counts()).toEqual({ waiting: 3, active: 0, settled: 0 });

    const seen: string[] = [];
    await consume((payload) => {
      seen.push(payload.deviceClassId);
      return Promise.resolve({ modelId: `${payload.deviceClassId}-v1` });
    });
    const settled = await collectAll(queue, 3);

    expect(seen).toEqual(['class-1', 'class-2', 'class-3']);
    expect(settled.map((s) => (s.ok ? s.result.modelId : s.reason))).toEqual([
      'class-1-v1',
      'class-2-v1',
      'class-3-v1',
    ]);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, settled: 0 });
  }, 30_000);

  it('is collected by several side by side, each job by one of them', async () => {
    const [first, second] = [fitQueue(), fitQueue()];
    const ids = Array.from({ length: 40 }, (_, i) => `shared-${i}`);
    await first.submit(ids.map((id) => ({ id, payload: fit('c') })));
    await consume(() => Promise.resolve({ modelId: 'm' }));
    await until(
      () => first.counts(),
      ({ settled }) => settled === ids.length,
    );
    const handled: [string[], string[]] = [[], []];
    const [one, other] = await Promise.all(
      [first, second].map((queue, i) =>
        queue.collect(async ({ jobId }) => {
          handled[i]?.push(jobId);
          // Neither gets far ahead of the other.
          await until(
            () => queue.counts(),
            () => handled.every((jobIds) => jobIds.length > 0),
          );
        }),
      ),
    );
    expect([...handled[0], ...handled[1]].sort()).toEqual([...ids].sort());
    expect([one, other]).toEqual(handled.map((jobIds) => jobIds.length));
    expect(await first.counts()).toEqual({ waiting: 0, active: 0, settled: 0 });
  }, 30_000);

  it('gives a job to another collector when the one that has it in hand does not come to an end', async () => {
    const [lost, other] = [fitQueue({ claimMs: 500 }), fitQueue()];
    await lost.submit([{ id: 'in-hand', payload: fit('c') }]);
    await consume(() => Promise.resolve({ modelId: 'm' }));
    await until(
      () => lost.counts(),
      ({ settled }) => settled === 1,
    );
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let hasIt = false;
    const never = lost.collect(() => {
      hasIt = true;
      return held;
    });
    await until(
      () => lost.counts(),
      () => hasIt,
    );
    expect(await other.collect(() => Promise.resolve())).toBe(0);
    expect(await collectAll(other, 1)).toMatchObject([{ ok: true, jobId: 'in-hand' }]);
    letGo();
    await never;
  }, 30_000);

  it('keeps a settled job until the collector has dealt with it', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'kept', payload: fit('c') }]);
    await consume(() => Promise.resolve({ modelId: 'm' }));
    let refusals = 0;
    while (refusals === 0) {
      await queue
        .collect(() => Promise.reject(new Error('store is away')))
        .catch((error: unknown) => {
          expect(error).toMatchObject({ message: 'store is away' });
          refusals += 1;
        });
    }
    await queue.submit([{ id: 'kept', payload: fit('c') }]);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, settled: 1 });
    expect(await collectAll(queue, 1)).toMatchObject([{ ok: true, jobId: 'kept' }]);
  }, 30_000);

  it('tries a failing job three times, one that gave up once, and hands out the reason', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'fails', payload: fit('fails') }]);
    await queue.submit([{ id: 'hopeless', payload: fit('hopeless') }]);
    await consume((payload) =>
      Promise.reject(
        payload.deviceClassId === 'hopeless' ? new GiveUp('no such device') : new Error('disk away'),
      ),
    );
    const settled = await collectAll(queue, 2);
    expect(settled.find((s) => s.jobId === 'hopeless')).toMatchObject({
      attempts: 1,
      reason: 'no such device',
    });
    expect(settled.find((s) => s.jobId === 'fails')).toMatchObject({ attempts: 3, reason: 'disk away' });
  }, 30_000);

  it('uses no attempt up for a job that is put back', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'put-back', payload: fit('p') }]);
    await consume((_payload, { attempt }) =>
      attempt < 6 ? Promise.reject(new PutBack('no driver')) : Promise.resolve({ modelId: 'm' }),
    );
    expect(await collectAll(queue, 1)).toMatchObject([{ ok: true, jobId: 'put-back' }]);
  }, 30_000);

  it('hands out the result of a job that failed at first and succeeded then', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'second-try', payload: fit('s') }]);
    await consume((_payload, { attempt }) =>
      attempt === 1 ? Promise.reject(new Error('disk away')) : Promise.resolve({ modelId: 'm' }),
    );
    const found = await until(
      () => queue.state('second-try'),
      (state) => state?.state === 'settled',
    );
    expect(found).toMatchObject({ settled: { ok: true, result: { modelId: 'm' } } });
    expect(await collectAll(queue, 1)).toMatchObject([{ ok: true, result: { modelId: 'm' } }]);
  }, 30_000);

  it('tells how a job ended also when it is asked in the moment that it ends', async () => {
    const queue = fitQueue();
    const ids = Array.from({ length: 100 }, (_, i) => `asked-${i}`);
    await queue.submit(ids.map((id) => ({ id, payload: fit(id) })));
    await consume(() => Promise.resolve({ modelId: 'm' }));
    const settled = await Promise.all(
      ids.map((id) =>
        until(
          () => queue.state(id),
          (state) => state?.state === 'settled',
        ),
      ),
    );
    expect(settled.filter((found) => !(found?.state === 'settled' && found.settled.ok))).toEqual([]);
    expect(settled).toHaveLength(ids.length);
  }, 30_000);

  it('calls a malformed result a failure', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'bad', payload: fit('bad') }]);
    await consume(() => Promise.resolve({ modelId: 'Not An Id' }));
    const [settled] = await collectAll(queue, 1);
    expect(settled).toMatchObject({
      ok: false,
      isMalformed: true,
      reason: expect.stringMatching(/malformed result \(modelId/),
    });
  }, 30_000);

  it('withdraws what waits and leaves what is in work', async () => {
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
    expect(await collectAll(queue, 1)).toMatchObject([{ ok: true, jobId: 'a' }]);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0, settled: 0 });
  }, 30_000);

  it('gives a job back at once, and the next consumer does it', async () => {
    const queue = fitQueue();
    await queue.submit([{ id: 'returned', payload: fit('r') }]);
    let begun: () => void = () => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    const leaving = new JobConsumer('fit', address, async (_payload, { signal }) => {
      begun();
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });
      return { modelId: 'never' };
    });
    await leaving.start();
    await isBegun;
    await leaving.giveBack();
    expect(await queue.counts()).toEqual({ waiting: 1, active: 0, settled: 0 });
    await consume((_payload, { attempt }) => Promise.resolve({ modelId: `attempt-${attempt}` }));
    expect(await collectAll(queue, 1)).toMatchObject([{ ok: true, result: { modelId: 'attempt-2' } }]);
  }, 30_000);

  it('hands out the next job beside the one in hand only when it is asked for', async () => {
    const queue = fitQueue();
    const ids = ['a', 'b', 'c', 'd'];
    await queue.submit(ids.map((id) => ({ id, payload: fit(id) })));
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const asks = new Map<string, () => void>();
    const consumer = await consume(async (payload, { takeNext }) => {
      const id = payload.deviceClassId;
      begun.push(id);
      asks.set(id, takeNext);
      await new Promise<void>((resolve) => ends.set(id, resolve));
      return { modelId: id };
    });
    const untilBegun = (count: number) =>
      until(
        () => queue.counts().then(() => begun.length),
        (now) => now >= count,
      );
    await untilBegun(1);
    asks.get('a')?.();
    await untilBegun(2);
    ends.get('a')?.();
    await until(
      () => queue.counts(),
      ({ settled }) => settled === 1,
    );
    expect(await consumer.uncollected()).toBe(1);
    // Two would be in hand if the end of the first had let a third come.
    expect([begun, await queue.counts()]).toEqual([['a', 'b'], { waiting: 2, active: 1, settled: 1 }]);
    ends.get('b')?.();
    await untilBegun(3);
    expect(await queue.counts()).toEqual({ waiting: 1, active: 1, settled: 2 });
    // The last one is asked for, and then there is none: one that comes later is taken at once.
    asks.get('c')?.();
    await untilBegun(4);
    asks.get('d')?.();
    ends.get('c')?.();
    await queue.submit([{ id: 'e', payload: fit('e') }]);
    await untilBegun(5);
    ends.get('d')?.();
    ends.get('e')?.();
    expect(await collectAll(queue, 5)).toHaveLength(5);
  }, 30_000);

  it('hands out all jobs of a consumer that died, those fetched ahead as well, within its time', async () => {
    const queue = fitQueue();
    await queue.submit(['a', 'b'].map((id) => ({ id, payload: fit(id) })));
    const program = `
      import { JobConsumer } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
      let begun = 0;
      const consumer = new JobConsumer('fit', ${JSON.stringify(address)}, (_payload, { takeNext }) => {
        takeNext();
        begun += 1;
        if (begun === 2) process.stdout.write('both');
        return new Promise(() => undefined);
      });
      await consumer.start();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const diedMs = performance.now();
    child.kill('SIGKILL');
    await consume((payload) => Promise.resolve({ modelId: payload.deviceClassId }));
    expect(await collectAll(queue, 2)).toMatchObject([{ ok: true }, { ok: true }]);
    // 14 s by its settings, and what a busy machine adds.
    expect(performance.now() - diedMs).toBeLessThan(20_000);
  }, 30_000);

  it('tells when a job has settled', async () => {
    const queue = fitQueue();
    const told = new Promise<void>((resolve) => void queue.onSettled(resolve).then(() => submit()));
    const submit = () => queue.submit([{ id: 'event', payload: fit('e') }]);
    await consume(() => Promise.resolve({ modelId: 'm' }));
    await told;
    expect((await queue.counts()).settled).toBe(1);
  }, 30_000);
});

describe('access of a worker', () => {
  const password = 'worker-secret';
  const sha256 = createHash('sha256').update(password).digest('hex');

  async function granted(): Promise<{ access: QueueAccess; worker: RedisAddress }> {
    const access = new QueueAccess(address);
    open.push({
      close: async () => {
        await access.revoke('w1');
        access.close();
      },
    });
    await access.grant('w1', sha256, ['my-class']);
    return { access, worker: { url: address.url, username: 'w1', password } };
  }

  it('lets a worker do batches of its own queue, recovery and giving back included', async () => {
    const { worker } = await granted();
    const mine = new JobQueue('measure', address, { targetId: 'my-class' });
    open.push(mine);
    const payload = { ...measurePayload, targetId: 'my-class' };
    await mine.submit([{ id: measureJobId(payload), payload }]);
    let begun: () => void = () => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    const first = new JobConsumer(
      'measure',
      worker,
      async (_payload, { signal, takeNext }) => {
        takeNext();
        begun();
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        throw new Error('aborted');
      },
      { targetId: 'my-class' },
    );
    await first.start();
    await isBegun;
    expect(await first.uncollected()).toBe(0);
    await first.giveBack();
    const second = new JobConsumer('measure', worker, () => Promise.reject(new GiveUp('done')), {
      targetId: 'my-class',
    });
    open.unshift({ close: () => second.finish() });
    await second.start();
    const settled: Settled<'measure'>[] = [];
    while (settled.length === 0) {
      await mine.collect((item) => {
        settled.push(item);
        return Promise.resolve();
      });
    }
    expect(settled).toMatchObject([{ ok: false, reason: 'done', attempts: 2 }]);

    const admin = new Redis(redis.port, { password: address.password ?? '' });
    const denials = (await admin.call('ACL', 'LOG')) as unknown[];
    admin.disconnect();
    expect(denials).toEqual([]);
  }, 30_000);

  it('refuses other queues, scans, publishing and administration, and everything after revocation', async () => {
    const { access } = await granted();
    const client = new Redis(redis.port, { username: 'w1', password, retryStrategy: () => null });
    client.on('error', () => undefined);
    await expect(client.get('alphaflops:measure.v1.my-class:meta')).resolves.toBeNull();
    await expect(client.get('alphaflops:measure.v1.other:meta')).rejects.toThrow(/NOPERM/);
    await expect(client.hgetall('alphaflops:fit.v1:meta')).rejects.toThrow(/NOPERM/);
    for (const command of [
      ['SCAN', '0'],
      ['KEYS', '*'],
      ['PUBLISH', 'x', 'y'],
      ['CONFIG', 'GET', '*'],
      ['FLUSHALL'],
      ['ACL', 'LIST'],
      ['SHUTDOWN'],
    ]) {
      await expect(client.call(command[0] as string, command.slice(1))).rejects.toThrow(/NOPERM/);
    }
    const ended = new Promise((resolve) => client.once('end', resolve));
    await access.revoke('w1');
    await ended;
    await expect(assertRedisAnswers({ url: address.url, username: 'w1', password })).rejects.toMatchObject({
      code: 'redis-refused',
    });
    const admin = new Redis(redis.port, { password: address.password ?? '' });
    await admin.call('ACL', 'LOG', 'RESET');
    admin.disconnect();
  }, 30_000);
});

describe('the connection of a coordinator that nobody uses', () => {
  it('is missed when its packets are dropped without a word, and made anew', async () => {
    // From the first connection nothing gets through any more once it is told so.
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
    const access = new QueueAccess({ ...address, url: `redis://127.0.0.1:${port}` }, 300);
    try {
      await access.ping();
      const reconnected = new Promise<void>((resolve) => {
        access.onReconnect(resolve);
      });
      isDropping = true;
      await reconnected;
      await access.ping();
    } finally {
      access.close();
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  });
});

describe('private Redis', () => {
  it('keeps its data, port and password over a restart, and takes over one that was left behind', async () => {
    const own = await mkdtemp(join(tmpdir(), 'alphaflops-redis-'));
    try {
      const first = await PrivateRedis.start({ directory: own });
      const queue = new JobQueue('fit', first.address);
      await queue.submit([{ id: 'stays', payload: fit('s') }]);
      await queue.close();
      const again = await PrivateRedis.start({ directory: own });
      expect(again.pid).toBe(first.pid);
      await again.stop();
      const third = await PrivateRedis.start({ directory: own });
      expect([third.port, third.address]).toEqual([first.port, first.address]);
      expect(third.pid).not.toBe(first.pid);
      const reopened = new JobQueue('fit', third.address);
      expect(await reopened.counts()).toEqual({ waiting: 1, active: 0, settled: 0 });
      await reopened.close();
      await third.stop();
    } finally {
      await rm(own, { recursive: true });
    }
  }, 60_000);

  it('says what to install when there is no server program', async () => {
    const own = await mkdtemp(join(tmpdir(), 'alphaflops-redis-'));
    await expect(
      PrivateRedis.start({ directory: own, program: 'no-such-redis-server' }),
    ).rejects.toMatchObject({
      code: 'redis-missing',
      message: expect.stringContaining('apt-get install redis-server'),
    });
    await rm(own, { recursive: true });
  });

  it('says where nothing answers, without the password', async () => {
    const away = { url: 'redis://:hush@127.0.0.1:1' };
    await expect(assertRedisAnswers(away)).rejects.toMatchObject({
      code: 'redis-unreachable',
      message: expect.not.stringContaining('hush'),
    });
    await expect(assertRedisAnswers({ url: 'localhost' })).rejects.toMatchObject({ code: 'bad-address' });
  });
});

const measurePayload = {
  campaignId: 'c1',
  targetId: 'my-class',
  batchIndex: 0,
  protocol: {
    name: 'cpu',
    version: 1,
    mode: 'hot' as const,
    warmUpMinRuns: 3,
    warmUpTolerance: 0.05,
    warmUpMaxMs: 1_000,
    minBatchMs: 20,
    minBatches: 9,
    maxRelativeStandardError: 0.01,
    maxTotalMs: 2_000,
    noisyRelativeStandardError: 0.1,
    specTimeLimitMs: 60_000,
    throttleRetries: 3,
    minClockShare: 0.75,
    checkOutput: true,
  },
  slots: [
    {
      specIndex: 0,
      replicate: 0,
      spec: {
        batch: 1,
        height: 8,
        width: 8,
        cin: 4,
        cout: 4,
        kernel_h: 3,
        kernel_w: 3,
        stride: 1,
        groups: 1,
        dtype: 'f32' as const,
        padding: 'same' as const,
        layout: 'NCHW' as const,
      },
    },
  ],
};
