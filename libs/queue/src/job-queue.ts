import { JOBS, type JobName, type JobPayload, type JobResult, type Result } from '@alphaflops/contracts';
import { type Job, Queue } from 'bullmq';
import type { z } from 'zod';
import type { QueueConnection } from './connection.js';
import { queueName } from './names.js';
import { KEY_PREFIX, QueueError } from './redis.js';

/** How a job ended. */
export type Settled<N extends JobName> = Result<{ result: JobResult<N> }>;

export type JobState<N extends JobName> =
  { state: 'waiting' | 'active' } | { state: 'settled'; settled: Settled<N> };

const SUBMIT_PAGE = 1_000;

/** Submits jobs to one queue. */
export class JobQueue<N extends JobName> {
  private readonly queue: Queue;
  private readonly name: string;

  constructor(
    private readonly job: N,
    private readonly connection: QueueConnection,
    options: {
      targetId?: string;
      /** How long the result of a job stays available; by default it is not kept. */
      keepSettledS?: number;
    } = {},
  ) {
    this.name = queueName(job, options.targetId);
    const keep = options.keepSettledS === undefined ? true : { age: options.keepSettledS };
    this.queue = new Queue(this.name, {
      connection: connection.client,
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

  /** Adds jobs. A job whose id is queued, active or kept after its end stays unchanged. */
  async submit(entries: readonly { id: string; payload: JobPayload<N> }[]): Promise<void> {
    for (let at = 0; at < entries.length; at += SUBMIT_PAGE) {
      await this.queue.addBulk(
        entries
          .slice(at, at + SUBMIT_PAGE)
          .map(({ id, payload }) => ({ name: this.job, data: payload, opts: { jobId: id } })),
      );
      await this.connection.tell(this.name);
    }
  }

  /** Removes jobs that nobody works on; active jobs stay. Returns how many were removed. */
  async withdraw(ids: readonly string[]): Promise<number> {
    let removed = 0;
    for (let at = 0; at < ids.length; at += SUBMIT_PAGE) {
      const answers = await Promise.all(
        // An active job is locked and cannot be removed: BullMQ returns 0 or throws, depending on its version.
        ids.slice(at, at + SUBMIT_PAGE).map((id) => this.queue.remove(id).catch(() => 0)),
      );
      removed += answers.filter((answer) => answer === 1).length;
    }
    return removed;
  }

  /** The state of a job; null when the queue does not have it, or has removed it. */
  async state(id: string): Promise<JobState<N> | null> {
    const state = await this.queue.getJobState(id);
    if (state === 'unknown') return null;
    if (state === 'completed' || state === 'failed') {
      // Read after the state: data read before the job ended has no result yet.
      const job = (await this.queue.getJob(id)) as Job | undefined;
      return job === undefined ? null : { state: 'settled', settled: this.read(job, state) };
    }
    return { state: state === 'active' ? 'active' : 'waiting' };
  }

  async counts(): Promise<{ waiting: number; active: number }> {
    const counts = await this.queue.getJobCounts('waiting', 'delayed', 'active');
    const of = (state: string) => counts[state] ?? 0;
    return { waiting: of('waiting') + of('delayed'), active: of('active') };
  }

  async close(): Promise<void> {
    await this.queue.close();
  }

  /** The state decides: a job that failed first and succeeded later still has the reason of its failure. */
  private read(job: Job, state: 'completed' | 'failed'): Settled<N> {
    if (state === 'failed') return { ok: false, reason: job.failedReason };
    const result = (JOBS[this.job].result as z.ZodType).safeParse(job.returnvalue);
    if (result.success) return { ok: true, result: result.data as JobResult<N> };
    const [issue] = result.error.issues;
    const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
    return { ok: false, reason: `the job returned a malformed result${where}` };
  }
}

/** How often the job was started, including the current run. */
export function attemptsOf(job: Pick<Job, 'attemptsStarted'>): number {
  return Math.max(1, job.attemptsStarted);
}

/** Parses data from Redis before anything uses it. */
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
