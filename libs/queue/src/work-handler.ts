import type { JobResult, LeaseRef, WorkerJobName } from '@alphaflops/contracts';
import type { Broken, Standing } from './lease-queue.js';

/** What a worker sends as the result of a job. */
export interface Delivery<N extends WorkerJobName> {
  /** The worker states `attempt`. It was compared with the queue, unless the job is gone. */
  readonly lease: LeaseRef & { job: N };
  /** The sender: the worker that holds the lease. */
  readonly workerId: string;
  readonly standing: Exclude<Standing, 'others'>;
  readonly result: JobResult<N>;
  readonly body: Uint8Array;
  /** When the first byte arrived, in milliseconds since 1970. */
  readonly receivedAtMs: number;
}

/** `refused`: the result failed the check. `again`: the job has to be done again. */
export type Recorded = { kind: 'stored' } | { kind: 'refused'; reason: string; again: boolean };

/** How the coordinator handles one kind of worker job. Each method may be called twice for one job. */
export interface WorkHandler<N extends WorkerJobName> {
  /** Whether the job was started before and is already complete. */
  isDone(job: Pick<LeaseRef, 'targetId' | 'id'>): Promise<boolean>;
  /** Checks and stores a result. Resolves when it is stored safely. */
  record(delivery: Delivery<N>): Promise<Recorded>;
  /** Stores that the job will not be done. */
  recordFailure(job: Broken): Promise<void>;
}
