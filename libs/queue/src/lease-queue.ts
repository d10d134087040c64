import type { JobPayload, Lease, LeaseRef, WorkerJobName } from '@alphaflops/contracts';
import { createRedisBackend, ErrorCode, Job, Worker } from 'bullmq';
import type { QueueConnection } from './connection.js';
import { RECOVERY } from './job-consumer.js';
import { attemptsOf, parsePayload } from './job-queue.js';
import { queueName } from './names.js';
import { KEY_PREFIX, QueueError } from './redis.js';

/**
 * After a start, the holders of jobs have this time to renew their leases, because they could not renew them while no
 * coordinator answered. Until then, nobody else gets their jobs.
 */
const GRACE_MS = RECOVERY.stalledIntervalMs;

/** A job that cannot be handed out, with the `reason`. Its lock is held with the token of the lease. */
export type Broken = Omit<LeaseRef, 'job'> & { reason: string };

export type Taken<N extends WorkerJobName> = { lease: Lease<N> } | { broken: Broken };

/**
 * `held`: the lease is alive. `free`: the lease has lapsed, and nobody has started the job since. `others`: another worker
 * has started the job. `gone`: the job does not exist any more.
 */
export type Standing = 'held' | 'free' | 'others' | 'gone';

/**
 * Takes a lapsed lock again if nobody has started the job since: the job is still active, in the same attempt. Several
 * renewals of one holder may arrive at the same time after Redis was unreachable. All of them succeed.
 */
const RELOCK = `
local holder = redis.call('GET', KEYS[1])
if holder then return holder == ARGV[1] and 1 or 0 end
if redis.call('HGET', KEYS[2], 'ats') ~= ARGV[4] then return 0 end
if not redis.call('LPOS', KEYS[3], ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SREM', KEYS[4], ARGV[3])
return 1`;

/** Removes a job whose data cannot be read, so that it can be submitted again. */
const EVICT = `
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local job = ARGV[1] .. id
  if redis.call('GET', job .. ':lock') == ARGV[2] then
    redis.call('LREM', KEYS[1], 1, id)
    redis.call('SREM', KEYS[2], id)
    redis.call('DEL', job, job .. ':lock')
  end
end`;

/** What the holder of a job may do with it, in one queue. BullMQ owns the lock and all later states of the job. */
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
      // No call blocks in Redis, so one connection is enough for all queues.
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

  /** Renews the lease, even a lapsed one if nobody has started the job since. Returns false when the lease is lost. */
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

  /** Returns the state of a lease, and renews it if it is alive. */
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

  /** Removes a finished job from the queue. Returns false when the token does not hold the job. */
  async complete({ id, token }: Omit<LeaseRef, 'job'>): Promise<boolean> {
    return await this.whileHeld(id, async (job) => {
      await job.moveToCompleted(null, token, false);
    });
  }

  /** Puts the job back at the head of the queue and uses no attempt. Returns false when the token does not hold the job. */
  async putBack({ id, token }: Omit<LeaseRef, 'job'>): Promise<boolean> {
    return await this.whileHeld(id, async (job) => {
      await job.moveToWait(token);
      this.wake();
    });
  }

  /** Whether this attempt is the last one. */
  async isLastAttempt({ id }: Omit<LeaseRef, 'job'>): Promise<boolean> {
    const job = await Job.fromId(this.worker, id);
    return job === undefined || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
  }

  /**
   * Uses one attempt: the job is tried again after a pause, or leaves the queue. Returns false when the token does not hold
   * the job.
   */
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
    // A lost connection may lose the notification. Waiting requests then check the queue themselves within seconds.
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
