import type { JobName, JobPayload, JobResult } from '@alphaflops/contracts';
import { UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import { attemptsOf, parsePayload } from './job-queue.js';
import { queueName } from './names.js';
import { connectionOptions, KEY_PREFIX, QueueError, type RedisAddress } from './redis.js';

/**
 * How soon a dead consumer's job comes back: its lock lapses after `lockDurationMs`, the next look at stalled jobs is
 * at most `stalledIntervalMs` later, and the one after that hands the job out: 14 s at most in all.
 */
export const RECOVERY = { lockDurationMs: 8_000, stalledIntervalMs: 3_000, maxStalledCount: 10 } as const;

export interface JobContext {
  attempt: number;
  /** Fires when the job was taken away: the lock is lost, or it is to be given back at once. */
  signal: AbortSignal;
  /** Asks for the next job already, as this one is about to end: the handler is then called with both at a time. */
  takeNext: () => void;
}

export type Handler<N extends JobName> = (
  payload: JobPayload<N>,
  context: JobContext,
) => Promise<JobResult<N>>;

/** Thrown by a handler when trying again cannot help. */
export class GiveUp extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GiveUp';
  }
}

/** Thrown by a handler that cannot do the job while another consumer may: it goes back, and no attempt is used up. */
export class PutBack extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PutBack';
  }
}

/** The working end of one queue: one job at a time, and near its end the next one too. */
export class JobConsumer<N extends JobName> {
  private readonly worker: Worker;
  private givingBack = false;
  private inHand = 0;

  constructor(
    job: N,
    address: RedisAddress,
    handler: Handler<N>,
    options: { targetId?: string; onError?: (error: Error) => void } = {},
  ) {
    this.worker = new Worker(
      queueName(job, options.targetId),
      async (queued: Job, token?: string, signal?: AbortSignal) => {
        const work = {
          attempt: attemptsOf(queued),
          signal: signal ?? new AbortController().signal,
          takeNext: this.takeNext,
        };
        this.worker.concurrency = 1;
        this.inHand += 1;
        try {
          return await handler(parsePayload(job, queued.data), work);
        } catch (error) {
          if (this.givingBack || error instanceof PutBack) {
            await queued.moveToWait(token);
            throw new WaitingError();
          }
          if (error instanceof GiveUp || (error instanceof QueueError && error.code === 'bad-payload')) {
            throw new UnrecoverableError(error.message);
          }
          throw error;
        } finally {
          this.inHand -= 1;
          if (this.inHand === 0) this.worker.concurrency = 1;
        }
      },
      {
        connection: connectionOptions(address),
        prefix: KEY_PREFIX,
        autorun: false,
        concurrency: 1,
        lockDuration: RECOVERY.lockDurationMs,
        stalledInterval: RECOVERY.stalledIntervalMs,
        maxStalledCount: RECOVERY.maxStalledCount,
        // How soon Redis is asked for a job again after it refused, as one that is loading does; BullMQ waits 15 s.
        runRetryDelay: 1_000,
      },
    );
    this.worker.on('error', (error) => options.onError?.(error));
    this.worker.on('lockRenewalFailed', (jobIds) => {
      for (const id of jobIds) this.worker.cancelJob(id, 'the job’s lock was lost');
    });
  }

  /** Begins to take jobs; resolves when connected. */
  async start(): Promise<void> {
    await this.worker.waitUntilReady();
    void this.worker.run().catch((error: unknown) => {
      this.worker.emit('error', error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** How many jobs of the queue have a result that nobody has collected yet. */
  async uncollected(): Promise<number> {
    const [completed = 0] = await this.worker.getBackend().getCounts(['completed']);
    return completed;
  }

  /** Finishes the jobs in hand, then leaves. */
  async finish(): Promise<void> {
    await this.worker.close();
  }

  /** Gives the jobs in hand back to the queue at once, then leaves. */
  async giveBack(): Promise<void> {
    this.givingBack = true;
    this.worker.cancelAllJobs('the worker is leaving at once');
    await this.worker.close();
  }

  /** BullMQ looks whether it may take another job when one has ended, or when it is resumed. */
  private readonly takeNext = (): void => {
    if (this.worker.concurrency > 1 || this.worker.closing !== undefined) return;
    this.worker.concurrency = 2;
    void this.worker.pause(true).then(() => this.worker.resume());
  };
}
