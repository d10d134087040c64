import type { JobPayload, Lease, LeaseRef, WorkerJobName } from '@alphaflops/contracts';
import { createRedisBackend, ErrorCode, Job, Worker } from 'bullmq';
import type { QueueConnection } from './connection.js';
import { RECOVERY } from './job-consumer.js';
import { attemptsOf, parsePayload } from './job-queue.js';
import { queueName } from './names.js';
import { KEY_PREFIX, QueueError } from './redis.js';

/**
 * Right after a start, jobs are not taken from holders that could not renew their leases while nobody answered them: they
 * have so long to do it.
 */
const GRACE_MS = RECOVERY.stalledIntervalMs;

/** A job that cannot be handed out; `reason` says why. Its lock is held with the token of the lease. */
export type Broken = Omit<LeaseRef, 'job'> & { reason: string };

export type Taken<N extends WorkerJobName> = { lease: Lease<N> } | { broken: Broken };

/**
 * `held`: the lease is alive. `free`: it has lapsed, and nobody has begun the job since. `others`: somebody has.
 * `gone`: there is no such job any more.
 */
export type Standing = 'held' | 'free' | 'others' | 'gone';

/**
 * A lock that has lapsed is taken again, if nobody has begun the job since: it is still active, in the same attempt. Several
 * renewals of one holder may come here at the same time, when Redis was away: all of them succeed.
 */
const RELOCK = `
local holder = redis.call('GET', KEYS[1])
if holder then return holder == ARGV[1] and 1 or 0 end
if redis.call('HGET', KEYS[2], 'ats') ~= ARGV[4] then return 0 end
if not redis.call('LPOS', KEYS[3], ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SREM', KEYS[4], ARGV[3])
return 1`;

/** A job whose data nobody can read is removed, so that it can be submitted anew. */
const EVICT = `
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local job = ARGV[1] .. id
  if redis.call('GET', job .. ':lock') == ARGV[2] then
    redis.call('LREM', KEYS[1], 1, id)
    redis.call('SREM', KEYS[2], id)
    redis.call('DEL', job, job .. ':lock')
  end
end`;

/** What the holder of a job may do to it, in one queue. The lock is BullMQ's own, and so is all that becomes of it. */
export class LeaseQueue<N extends WorkerJobName> {
  readonly name: string;
  private readonly worker: Worker<unknown, unknown>;
  private readonly grace: NodeJS.Timeout;

  constructor(
    private readonly job: N,
    private readonly targetId: string,
    private readonly connection: QueueConnection,
    onError: (error: Error) => void,
  ) {
    this.name = queueName(job, targetId);
    this.worker = new Worker(
      this.name,
      null,
      {
        connection: connection.client,
        prefix: KEY_PREFIX,
        autorun: false,
        lockDuration: RECOVERY.lockDurationMs,
        stalledInterval: RECOVERY.stalledIntervalMs,
        maxStalledCount: RECOVERY.maxStalledCount,
      },
      // Nobody waits for work in Redis: one connection is enough for all queues.
      (name, options) => createRedisBackend(name, options),
    );
    this.worker.on('error', onError);
    this.worker.on('stalled', () => {
      this.wake();
    });
    this.grace = setTimeout(() => {
      this.worker.startStalledCheckTimer().catch(onError);
    }, GRACE_MS).unref();
  }

  /** The next job, locked with the token; null when no job waits. */
  async take(token: string): Promise<Taken<N> | null> {
    let job: Job | undefined;
    try {
      job = (await this.worker.getNextJob(token, { block: false })) as Job | undefined;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      await this.evict(token);
      return await this.take(token);
    }
    if (job?.id === undefined) return null;
    const { job: name, targetId } = this;
    const ref = { targetId, id: job.id, token, attempt: attemptsOf(job) };
    if (job.deferredFailure) return { broken: { ...ref, reason: job.deferredFailure } };
    let payload: JobPayload<N>;
    try {
      payload = parsePayload(name, job.data);
    } catch (error) {
      if (!(error instanceof QueueError)) throw error;
      return { broken: { ...ref, reason: error.message } };
    }
    return { lease: { ...ref, job: name, leaseMs: RECOVERY.lockDurationMs, payload } };
  }

  /** Makes the lease last from now on; also one that has lapsed, if nobody has begun the job since. False: it is lost. */
  async renew({ id, token, attempt }: Omit<LeaseRef, 'job'>): Promise<boolean> {
    const { keys } = this.worker;
    if ((await this.worker.getBackend().extendLock(id, token, RECOVERY.lockDurationMs)) === 1) return true;
    const job = this.worker.toKey(id);
    const answer = await this.connection.client.eval(
      RELOCK,
      4,
      ...[`${job}:lock`, job, keys['active'] ?? '', keys['stalled'] ?? ''],
      ...[token, RECOVERY.lockDurationMs, id, attempt],
    );
    return answer === 1;
  }

  /** What has become of a lease; renews it when it is alive. */
  async standing(ref: Omit<LeaseRef, 'job'>): Promise<Standing> {
    if (await this.renew(ref)) return 'held';
    const job = this.worker.toKey(ref.id);
    const [lock, attempts] = await Promise.all([
      this.connection.client.exists(`${job}:lock`),
      this.connection.client.hget(job, 'ats'),
    ]);
    if ((await this.connection.client.exists(job)) === 0) return 'gone';
    return lock === 0 && attempts === String(ref.attempt) ? 'free' : 'others';
  }

  /** The job is done and leaves the queue. False: it was not held with this token. */
  async complete({ id, token }: Omit<LeaseRef, 'job'>): Promise<boolean> {
    return await this.whileHeld(id, async (job) => {
      await job.moveToCompleted(null, token, false);
    });
  }

  /** The job goes back to the head of the queue; no attempt is used. False: it was not held with this token. */
  async putBack({ id, token }: Omit<LeaseRef, 'job'>): Promise<boolean> {
    return await this.whileHeld(id, async (job) => {
      await job.moveToWait(token);
      this.wake();
    });
  }

  /** Whether there is no attempt left when this one fails. */
  async isLastAttempt({ id }: Omit<LeaseRef, 'job'>): Promise<boolean> {
    const job = await Job.fromId(this.worker, id);
    return job === undefined || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  }

  /** One attempt is used: the job is tried again after a pause, or leaves the queue. False: it was not held with this token. */
  async fail({ id, token }: Omit<LeaseRef, 'job'>, reason: string): Promise<boolean> {
    return await this.whileHeld(id, async (job) => {
      await job.moveToFailed(new Error(reason), token, false);
      if (job.delay > 0) {
        setTimeout(() => {
          this.wake();
        }, job.delay + 20).unref();
      }
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.grace);
    await this.worker.close(true);
  }

  private async whileHeld(id: string, act: (job: Job) => Promise<void>): Promise<boolean> {
    const job = await Job.fromId(this.worker, id);
    if (job === undefined) return false;
    try {
      await act(job);
      return true;
    } catch (error) {
      if (isNotHeld(error)) return false;
      throw error;
    }
  }

  private async evict(token: string): Promise<void> {
    const { keys } = this.worker;
    await this.connection.client.eval(
      EVICT,
      2,
      ...[keys['active'] ?? '', keys['stalled'] ?? '', this.worker.toKey(''), token],
    );
  }

  private wake(): void {
    // The notification may be lost with a connection. Waiting requests then check the queue themselves within seconds.
    this.connection.tell(this.name).catch(() => undefined);
  }
}

function isNotHeld(error: unknown): boolean {
  const codes: readonly unknown[] = [
    ErrorCode.JobNotExist,
    ErrorCode.JobLockNotExist,
    ErrorCode.JobNotInState,
    ErrorCode.JobLockMismatch,
  ];
  return error instanceof Error && 'code' in error && codes.includes(error.code);
}
