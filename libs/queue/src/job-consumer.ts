import type { JobName, JobPayload, JobResult } from '@alphaflops/contracts';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import { parsePayload } from './job-queue.js';
import { queueName } from './names.js';
import { connectionOptions, KEY_PREFIX, QueueError, type RedisAddress } from './redis.js';

/**
 * How soon a job of a dead holder comes back: its lock lapses after `lockDurationMs`, the next look at stalled jobs is
 * at most `stalledIntervalMs` later, and the one after that hands the job out: 14 s at most in all.
 */
export const RECOVERY = { lockDurationMs: 8_000, stalledIntervalMs: 3_000, maxStalledCount: 10 } as const;

export type Handler<N extends JobName> = (payload: JobPayload<N>) => Promise<JobResult<N>>;

/** Thrown by a handler when trying again cannot help. */
export class GiveUp extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GiveUp';
  }
}

/** The working end of one queue, in a process of ours: one job at a time. Workers of a fleet hold leases instead. */
export class JobConsumer<N extends JobName> {
  private readonly worker: Worker;

  /** It has connections of its own, as it waits for work in Redis. */
  constructor(
    job: N,
    address: RedisAddress,
    handler: Handler<N>,
    options: { onError?: (error: Error) => void } = {},
  ) {
    this.worker = new Worker(
      queueName(job),
      async (queued: Job) => {
        try {
          return await handler(parsePayload(job, queued.data));
        } catch (error) {
          if (error instanceof GiveUp || (error instanceof QueueError && error.code === 'bad-payload')) {
            throw new UnrecoverableError(error.message);
          }
          throw error;
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
  }

  /** Begins to take jobs; resolves when connected. */
  async start(): Promise<void> {
    await this.worker.waitUntilReady();
    void this.worker.run().catch((error: unknown) => {
      this.worker.emit('error', error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** Finishes the job in hand, then leaves. */
  async finish(): Promise<void> {
    await this.worker.close();
  }
}
