import type { JobName, JobPayload, JobResult } from '@alphaflops/contracts';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import { parsePayload } from './job-queue.js';
import { queueName } from './names.js';
import { connectionOptions, KEY_PREFIX, QueueError, type RedisAddress } from './redis.js';

/**
 * How soon a job of a dead holder comes back. Its lock lapses after `lockDurationMs`, the next check for stalled jobs is
 * at most `stalledIntervalMs` later, and the check after that hands the job out: 14 s in total at most.
 */
export const RECOVERY = { lockDurationMs: 8_000, stalledIntervalMs: 3_000, maxStalledCount: 10 } as const;

export type Handler<N extends JobName> = (payload: JobPayload<N>) => Promise<JobResult<N>>;

/** A handler throws this when another attempt cannot help. */
export class GiveUp extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GiveUp';
  }
}

/** Consumes one queue in a server process, one job at a time. Remote workers hold leases instead. */
export class JobConsumer<N extends JobName> {
  private readonly worker: Worker;

  /** It has its own connections, because it waits for work in Redis. */
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
        // The pause before the next request for a job after Redis refused, for example while it loads. BullMQ waits 15 s.
        runRetryDelay: 1_000,
      },
    );
    this.worker.on('error', (error) => options.onError?.(error));
  }

  /** Starts to take jobs; resolves when connected. */
  async start(): Promise<void> {
    await this.worker.waitUntilReady();
    void this.worker.run().catch((error: unknown) => {
      this.worker.emit('error', error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** Finishes the current job, then closes. */
  async finish(): Promise<void> {
    await this.worker.close();
  }
}
