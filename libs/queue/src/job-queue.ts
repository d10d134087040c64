import { JOBS, type JobName, type JobPayload, type JobResult } from '@alphaflops/contracts';
import { Queue, QueueEvents, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import type { z } from 'zod';
import { queueName } from './names.js';
import { connectionOptions, KEY_PREFIX, QueueError, type RedisAddress } from './redis.js';

/** A job that has come to its end; it stays in Redis until the collector has dealt with it. */
export type Settled<N extends JobName> = {
  jobId: string;
  /** As it lies in Redis, unchecked: whoever submitted it knows what it was. */
  payload: unknown;
  attempts: number;
  /** Milliseconds since 1970, by the clock of whoever settled it. */
  settledAtMs: number;
} & (
  | { ok: true; result: JobResult<N> }
  /** `isMalformed`: somebody gave an answer that is none. */
  | { ok: false; reason: string; isMalformed: boolean }
);

export type JobState<N extends JobName> =
  { state: 'waiting' | 'active' } | { state: 'settled'; settled: Settled<N> };

type SettledState = 'completed' | 'failed';

/** Ids of settled jobs that are listed at once. */
const COLLECT_PAGE = 100;
/** Jobs that are read and handled at once, so that one is stored while another is checked; bounds memory. */
const COLLECT_AT_ONCE = 3;
const SUBMIT_PAGE = 1_000;
/** What a collector has in hand the others leave alone for so long: then it is taken to be gone. */
const CLAIM_MS = 10_000;

/** The submitting and collecting end of one queue. */
export class JobQueue<N extends JobName> {
  private readonly redis: Redis;
  private readonly queue: Queue;
  private readonly name: string;
  private events: QueueEvents | null = null;

  constructor(
    private readonly job: N,
    private readonly address: RedisAddress,
    private readonly options: { targetId?: string; keepSettledS?: number; claimMs?: number } = {},
  ) {
    this.name = queueName(job, options.targetId);
    // The store is the truth: a job leaves Redis only after its end was recorded, or was there to be asked for.
    const keep = options.keepSettledS === undefined ? false : { age: options.keepSettledS };
    this.redis = new Redis(connectionOptions(address));
    this.redis.on('error', () => undefined);
    this.queue = new Queue(this.name, {
      connection: this.redis,
      prefix: KEY_PREFIX,
      defaultJobOptions: {
        attempts: 3,
        backoff: { type: 'fixed', delay: 1_000 },
        removeOnComplete: keep,
        removeOnFail: keep,
        stackTraceLimit: 1,
      },
    });
    this.queue.on('error', () => undefined);
  }

  /** Adds jobs. An id that is queued, active or settled but not yet collected is left as it is. */
  async submit(entries: readonly { id: string; payload: JobPayload<N> }[]): Promise<void> {
    for (let at = 0; at < entries.length; at += SUBMIT_PAGE) {
      await this.queue.addBulk(
        entries
          .slice(at, at + SUBMIT_PAGE)
          .map(({ id, payload }) => ({ name: this.job, data: payload, opts: { jobId: id } })),
      );
    }
  }

  /** Takes jobs back that nobody works on; those in work stay. Returns how many were taken back. */
  async withdraw(ids: readonly string[]): Promise<number> {
    let removed = 0;
    for (let at = 0; at < ids.length; at += SUBMIT_PAGE) {
      const answers = await Promise.all(
        // An active job is locked and cannot be removed: BullMQ answers 0 or throws, by version.
        ids.slice(at, at + SUBMIT_PAGE).map((id) => this.queue.remove(id).catch(() => 0)),
      );
      removed += answers.filter((answer) => answer === 1).length;
    }
    return removed;
  }

  /**
   * Hands every settled job to `handle`, a few at a time and oldest first, and removes each once `handle` has resolved. A
   * job whose `handle` rejects stays for the next pass, and the rejection is passed on. Jobs that another collector has
   * in hand are left to it, so that several share the work; one that is slow or gone may have a job handled twice.
   */
  async collect(handle: (settled: Settled<N>) => Promise<void>): Promise<number> {
    const { claimMs = CLAIM_MS } = this.options;
    let collected = 0;
    for (;;) {
      const [completed, failed] = await Promise.all([
        this.settledIds('completed'),
        this.settledIds('failed'),
      ]);
      let claimed = 0;
      await eachOf([...completed, ...failed], COLLECT_AT_ONCE, async ({ id, state }) => {
        // Not among the keys of the queue, where its workers may write.
        const claim = `${KEY_PREFIX}:collecting:${this.name}:${id}`;
        if ((await this.redis.set(claim, '', 'PX', claimMs, 'NX')) === null) return;
        claimed += 1;
        try {
          const job = (await this.queue.getJob(id)) as Job | undefined;
          // Removed since it was listed.
          if (job === undefined) return;
          await handle(this.read(job, state));
          await job.remove();
          collected += 1;
        } finally {
          await this.redis.del(claim);
        }
      });
      if (claimed === 0) return collected;
    }
  }

  /** Calls `listener` after a job has settled. Events may be lost with a connection: collect now and then as well. */
  async onSettled(listener: () => void): Promise<void> {
    this.events = new QueueEvents(this.name, {
      connection: connectionOptions(this.address),
      prefix: KEY_PREFIX,
    });
    this.events.on('error', () => undefined);
    this.events.on('completed', listener);
    this.events.on('failed', listener);
    await this.events.waitUntilReady();
  }

  /** How a job is doing; null when it is not known (any more). */
  async state(id: string): Promise<JobState<N> | null> {
    const state = await this.queue.getJobState(id);
    if (state === 'unknown') return null;
    if (state === 'completed' || state === 'failed') {
      // Read after its state: what was read before a job ended has no result yet.
      const job = (await this.queue.getJob(id)) as Job | undefined;
      return job === undefined ? null : { state: 'settled', settled: this.read(job, state) };
    }
    return { state: state === 'active' ? 'active' : 'waiting' };
  }

  async counts(): Promise<{ waiting: number; active: number; settled: number }> {
    const counts = await this.queue.getJobCounts('waiting', 'delayed', 'active', 'completed', 'failed');
    const of = (state: string) => counts[state] ?? 0;
    return {
      waiting: of('waiting') + of('delayed'),
      active: of('active'),
      settled: of('completed') + of('failed'),
    };
  }

  async close(): Promise<void> {
    await this.events?.close();
    await this.queue.close();
    this.redis.disconnect();
  }

  private async settledIds(state: SettledState): Promise<{ id: string; state: SettledState }[]> {
    const ids = await this.queue.getRanges([state], 0, COLLECT_PAGE - 1, true);
    return ids.map((id) => ({ id, state }));
  }

  /**
   * How it ended is told by the list that it is in: a job that failed at first and succeeded then still carries the
   * reason of its failure.
   */
  private read(job: Job, state: SettledState): Settled<N> {
    const common = {
      jobId: job.id ?? '',
      payload: job.data as unknown,
      settledAtMs: job.finishedOn ?? Date.now(),
      attempts: attemptsOf(job),
    };
    if (state === 'failed') return { ok: false, ...common, reason: job.failedReason, isMalformed: false };
    const result = (JOBS[this.job].result as z.ZodType).safeParse(job.returnvalue);
    if (result.success) return { ok: true, ...common, result: result.data as JobResult<N> };
    const [issue] = result.error.issues;
    const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
    return {
      ok: false,
      ...common,
      reason: `the worker returned a malformed result${where}`,
      isMalformed: true,
    };
  }
}

/** Begins with them in order, `atOnce` at a time; after a rejection with no more, and passes it on when all have ended. */
async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of left) {
      if (failures.length > 0) return;
      await act(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (failures.length > 0) throw failures[0];
}

/** How often the job was begun, the running time included. */
export function attemptsOf(job: Pick<Job, 'attemptsStarted'>): number {
  return Math.max(1, job.attemptsStarted);
}

/** Parses what came out of Redis before anybody works with it. */
export function parsePayload<N extends JobName>(job: N, data: unknown): JobPayload<N> {
  const parsed = (JOBS[job].payload as z.ZodType).safeParse(data);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new QueueError(
      'bad-payload',
      `A ${job} job has a malformed payload (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`,
    );
  }
  return parsed.data as JobPayload<N>;
}
