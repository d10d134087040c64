import type { JobResult, LeaseRef, WorkerJobName } from '@alphaflops/contracts';
import type { Broken, Standing } from './lease-queue.js';

/** What a worker sends as the result of a job. */
export interface Delivery<N extends WorkerJobName> {
  /** `attempt` is as the worker says; it was compared with the queue unless the job is gone. */
  readonly lease: LeaseRef & { job: N };
  /** Who sends it: the worker that the lease is of. */
  readonly workerId: string;
  readonly standing: Exclude<Standing, 'others'>;
  readonly result: JobResult<N>;
  readonly body: Uint8Array;
  /** When it began to arrive, milliseconds since 1970. */
  readonly receivedAtMs: number;
}

/** `refused`: the result cannot be believed. `again`: the job is to be done again. */
export type Recorded = { kind: 'stored' } | { kind: 'refused'; reason: string; again: boolean };

/** What the coordinator does with the jobs of one kind that workers do. Everything may be called twice for one job. */
export interface WorkHandler<N extends WorkerJobName> {
  /** Whether the job was begun before and nothing is left to do. */
  isDone(job: Pick<LeaseRef, 'targetId' | 'id'>): Promise<boolean>;
  /** Checks and stores a result. Resolves when it is safe. */
  record(delivery: Delivery<N>): Promise<Recorded>;
  /** Stores that the job will not be done. */
  recordFailure(job: Broken): Promise<void>;
}
