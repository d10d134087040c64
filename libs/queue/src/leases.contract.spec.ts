import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Lease, WORKER_JOBS, type WorkerJobName } from '@alphaflops/contracts';
import { Redis } from 'ioredis';
import {
  type Broken,
  JobQueue,
  LeaseDesk,
  LeaseQueue,
  measureJobId,
  QueueConnection,
  type WorkHandler,
} from './index.js';
import { PrivateRedis } from './private-redis.js';
import { measurePayload } from './measure-payload.spec-helper.js';

/** The contents of one BullMQ queue, read from its keys. */
const KEYS = 'alphaflops:measure.v2.my-class';
const TARGET = 'my-class';

let directory: string;
let redis: PrivateRedis;
let raw: Redis;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-leases-'));
  redis = await PrivateRedis.start({ directory });
  raw = new Redis(redis.port, { password: redis.address.password ?? '' });
}, 30_000);
afterEach(async () => {
  for (const item of open.splice(0).reverse()) await item.close();
  await raw.flushall();
});
afterAll(async () => {
  raw.disconnect();
  await redis.stop();
  await rm(directory, { recursive: true });
});

const kept = <T extends { close(): unknown }>(item: T): T => {
  open.push(item);
  return item;
};
const connect = () => kept(new QueueConnection(redis.address));
const fail = (error: Error): void => {
  throw error;
};

/** The parts of one coordinator: a desk whose handler keeps everything that it receives. */
function coordinator(pollMs = 60_000) {
  const connection = connect();
  const desk = kept(new LeaseDesk(connection, fail, pollMs));
  const failures: Broken[] = [];
  const none: Error | null = null;
  const state = { done: new Set<string>(), error: none, isDoneError: none, mayWork: true } as {
    done: Set<string>;
    error: Error | null;
    isDoneError: Error | null;
    mayWork: boolean;
  };
  const handler: WorkHandler<WorkerJobName> = {
    isDone: ({ id }) =>
      state.isDoneError === null ? Promise.resolve(state.done.has(id)) : Promise.reject(state.isDoneError),
    record: () => Promise.reject(new Error('not part of this test')),
    recordFailure: (job) => {
      failures.push(job);
      return Promise.resolve();
    },
  };
  for (const job of WORKER_JOBS) desk.handle(job, handler);
  desk.start();
  const take = (workerId: string, signal = new AbortController().signal, targetIds = [TARGET]) =>
    desk.take({
      ...{ workerId, jobs: ['measure'], targetIds, signal },
      mayWork: () => (state.error === null ? Promise.resolve(state.mayWork) : Promise.reject(state.error)),
    });
  return { connection, desk, take, failures, state };
}

function batches(count: number, targetId = TARGET) {
  return Array.from({ length: count }, (_, batchIndex) => {
    const payload = { ...measurePayload, targetId, batchIndex };
    return { id: measureJobId(payload), payload };
  });
}

function queueOf(targetId = TARGET): JobQueue<'measure'> {
  return kept(new JobQueue('measure', connect(), { targetId }));
}

const token = (workerId = 'w1') => `${workerId}.${randomBytes(16).toString('base64url')}`;

async function untilCounts(queue: JobQueue<'measure'>, waiting: number, active: number): Promise<void> {
  for (;;) {
    const counts = await queue.counts();
    if (counts.waiting === waiting && counts.active === active) return;
    await setTimeout(20);
  }
}

describe('leases of one queue', () => {
  async function leased(): Promise<{
    queue: JobQueue<'measure'>;
    leases: LeaseQueue<'measure'>;
    lease: Lease;
  }> {
    const queue = queueOf();
    const leases = kept(new LeaseQueue('measure', TARGET, connect(), fail));
    await queue.submit(batches(1));
    const taken = await leases.take(token());
    if (taken === null || 'broken' in taken) throw new Error('no lease');
    return { queue, leases, lease: taken.lease };
  }

  it('can be renewed, completed and put back only with their own token', async () => {
    const { queue, leases, lease } = await leased();
    expect(lease).toMatchObject({
      job: 'measure',
      targetId: TARGET,
      id: 'c1.b0',
      attempt: 1,
      leaseMs: 8_000,
    });
    expect(lease.payload).toEqual({ ...measurePayload, batchIndex: 0 });
    const forged = { ...lease, token: token() };
    expect([
      await leases.renew(forged),
      await leases.complete(forged),
      await leases.putBack(forged),
      await leases.fail(forged, 'never'),
      await leases.standing(forged),
    ]).toEqual([false, false, false, false, 'others']);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 1 });
    expect(await leases.standing(lease)).toBe('held');
    expect(await raw.pttl(`${KEYS}:c1.b0:lock`)).toBeGreaterThan(7_000);
    expect(await leases.complete(lease)).toBe(true);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 });
    expect([await leases.standing(lease), await leases.renew(lease), await leases.complete(lease)]).toEqual([
      'gone',
      false,
      false,
    ]);
    // Nothing remains that could prevent a new submission.
    await queue.submit(batches(1));
    expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
  }, 30_000);

  it('return a job to the head of the queue, and use no attempt', async () => {
    const { queue, leases, lease } = await leased();
    await queue.submit(batches(3));
    expect(await leases.putBack(lease)).toBe(true);
    const again = await leases.take(token());
    expect(again).toMatchObject({ lease: { id: 'c1.b0', attempt: 2 } });
    expect(await leases.isLastAttempt(lease)).toBe(false);
    expect(await leases.standing(lease)).toBe('others');
  }, 30_000);

  it('fail three times with pauses, and then their job leaves the queue', async () => {
    const { queue, leases, lease } = await leased();
    let current = lease;
    for (const isLast of [false, false, true]) {
      expect(await leases.isLastAttempt(current)).toBe(isLast);
      expect(await leases.fail(current, 'no driver')).toBe(true);
      if (isLast) break;
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
      let taken = await leases.take(token());
      expect(taken).toBeNull();
      while (taken === null) {
        await setTimeout(20);
        taken = await leases.take(token());
      }
      if ('broken' in taken) throw new Error(taken.broken.reason);
      current = taken.lease;
    }
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 });
    expect(await queue.state('c1.b0')).toBeNull();
  }, 30_000);

  it('can be renewed after they lapse until another worker starts the job; then they are lost', async () => {
    const { leases, lease } = await leased();
    await raw.del(`${KEYS}:c1.b0:lock`);
    expect(await leases.renew({ ...lease, attempt: 2 })).toBe(false);
    expect(await leases.standing(lease)).toBe('held');

    // Renewals that waited for Redis arrive at the same time. None of them may lose the lease.
    await raw.del(`${KEYS}:c1.b0:lock`);
    const renewals = await Promise.all(Array.from({ length: 4 }, () => leases.renew(lease)));
    expect(renewals).toEqual([true, true, true, true]);

    // Like a stalled job: back in the queue, but not started.
    await leases.putBack(lease);
    expect(await leases.standing(lease)).toBe('free');
    expect(await leases.renew(lease)).toBe(false);
    await leases.take(token('w2'));
    expect(await leases.standing(lease)).toBe('others');
    await raw.del(`${KEYS}:c1.b0:lock`);
    expect(await leases.renew(lease)).toBe(false);
  }, 30_000);

  it('are not given for unreadable jobs: invalid JSON is removed, and an invalid batch has a reason', async () => {
    const queue = queueOf();
    const leases = kept(new LeaseQueue('measure', TARGET, connect(), fail));
    await queue.submit(batches(3));
    await raw.hset(`${KEYS}:c1.b0`, 'data', '{');
    await raw.hset(`${KEYS}:c1.b1`, 'data', '{"slots":[]}');
    const first = await leases.take(token());
    expect(first).toMatchObject({
      broken: { id: 'c1.b1', reason: expect.stringContaining('malformed payload') },
    });
    expect(await queue.state('c1.b0')).toBeNull();
    expect(await leases.take(token())).toMatchObject({ lease: { id: 'c1.b2' } });
    expect(await queue.counts()).toEqual({ waiting: 0, active: 2 });
  }, 30_000);
});

describe('a lease desk', () => {
  it('gives each job in order to the worker that has waited longest, as soon as it is submitted', async () => {
    const { take } = coordinator();
    const queue = queueOf();
    const polls = ['a', 'b', 'c'].map((id) => take(id));
    await queue.submit(batches(2));
    const [first, second] = await Promise.all(polls.slice(0, 2));
    expect([first?.id, second?.id]).toEqual(['c1.b0', 'c1.b1']);
    expect([first?.token.split('.')[0], second?.token.split('.')[0]]).toEqual(['a', 'b']);
    await queue.submit(batches(3).slice(2));
    expect((await polls[2])?.id).toBe('c1.b2');
  }, 30_000);

  it('serves each request from several queues once, and two desks share the work', async () => {
    const [one, other] = [coordinator(), coordinator()];
    const [mine, theirs] = [queueOf('class-a'), queueOf('class-b')];
    const targets = ['class-a', 'class-b'];
    const polls = Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? one : other).take(`w${i}`, undefined, targets),
    );
    await Promise.all([mine.submit(batches(10, 'class-a')), theirs.submit(batches(10, 'class-b'))]);
    const leases = await Promise.all(polls);
    expect(new Set(leases.map((lease) => `${lease?.targetId ?? ''} ${lease?.id ?? ''}`)).size).toBe(20);
    expect(await Promise.all([mine.counts(), theirs.counts()])).toEqual([
      { waiting: 0, active: 10 },
      { waiting: 0, active: 10 },
    ]);
  }, 30_000);

  it('answers without a job after its wait time, when the request is gone, and when the desk closes', async () => {
    const quick = coordinator(50);
    expect(await quick.take('w')).toBeNull();
    const gone = new AbortController();
    const { desk, take } = coordinator();
    const [first, second] = [take('a', gone.signal), take('b')];
    gone.abort();
    expect(await first).toBeNull();
    desk.release();
    expect([await second, await take('c')]).toEqual([null, null]);
    // The worker that left has no job.
    const queue = queueOf();
    await queue.submit(batches(1));
    expect((await coordinator().take('d'))?.attempt).toBe(1);
  }, 30_000);

  it('hands out nothing to a worker that may not work, or while the store is unreachable', async () => {
    const { take, state, desk } = coordinator();
    const queue = queueOf();
    await queue.submit(batches(1));
    state.mayWork = false;
    const paused = take('paused');
    state.error = new Error('the store is away');
    await expect(take('a')).rejects.toThrow('the store is away');
    state.error = null;
    state.mayWork = true;
    expect(await take('a')).toMatchObject({ id: 'c1.b0', attempt: 1 });
    await desk.dismiss('paused');
    expect(await paused).toBeNull();
  }, 30_000);

  it('puts a job back when the check whether it is done fails', async () => {
    const { take, state, desk } = coordinator();
    const queue = queueOf();
    await queue.submit(batches(1));
    await desk.queue('measure', TARGET).putBack((await take('a')) as Lease);
    state.isDoneError = new Error('the store is away');
    await expect(take('a')).rejects.toThrow('the store is away');
    await untilCounts(queue, 1, 0);
  }, 30_000);

  it('hands out no finished job, and stores the failure of a job that it cannot hand out', async () => {
    const { take, state, desk, failures } = coordinator();
    const queue = queueOf();
    await queue.submit(batches(3));
    const lease = await take('a');
    await desk.queue('measure', TARGET).putBack(lease as Lease);
    state.done.add('c1.b0');
    await raw.hset(`${KEYS}:c1.b1`, 'data', '{}');
    expect(await take('a')).toMatchObject({ id: 'c1.b2' });
    expect(failures).toMatchObject([
      { id: 'c1.b1', attempt: 1, reason: expect.stringContaining('malformed') },
    ]);
    expect(await queue.counts()).toEqual({ waiting: 0, active: 1 });
  }, 30_000);

  it('gives the job of a dead holder to another worker in time, and refuses the lost lease', async () => {
    const { take, desk } = coordinator();
    const queue = queueOf();
    await queue.submit(batches(1));
    const dead = (await take('dead')) as Lease;
    const diedMs = performance.now();
    const next = (await take('alive')) as Lease;
    // The settings give 14 s; a busy machine adds some time.
    expect(performance.now() - diedMs).toBeLessThan(18_000);
    expect(next).toMatchObject({ id: dead.id, attempt: 2 });
    const leases = desk.queue('measure', TARGET);
    expect([await leases.renew(dead), await leases.renew(next)]).toEqual([false, true]);
  }, 40_000);

  it('hands out a job whose notification was lost', async () => {
    const { take, connection } = coordinator();
    const before = await scriptsRun();
    const poll = take('a');
    // It has looked for work once.
    while ((await scriptsRun()) === before) await setTimeout(5);
    // Directly into the queue, as if a lost connection had lost the notification.
    const silent = connect();
    silence(silent);
    await kept(new JobQueue('measure', silent, { targetId: TARGET })).submit(batches(1));
    expect((await poll)?.id).toBe('c1.b0');
    expect(connection.client.status).toBe('ready');
  }, 30_000);

  it('needs a handler for each kind of job', () => {
    const desk = new LeaseDesk(connect(), fail);
    expect(() => {
      desk.start();
    }).toThrow('the results of measure jobs have no handler');
  });
});

/** How many scripts Redis has run. */
async function scriptsRun(): Promise<number> {
  const stats = await raw.info('commandstats');
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
}

function silence(connection: QueueConnection): void {
  connection.tell = () => Promise.resolve();
}
