import type { JobPayload, JobResult, WorkerJobName } from '@alphaflops/contracts';
import type { LogFields } from './log.js';

export interface JobContext {
  /** Number of attempts of the job, including this one. */
  readonly attempt: number;
  /** Fires when the job was taken away, or must be returned at once. */
  readonly signal: AbortSignal;
  /** Requests the next job early, because this one ends soon. */
  readonly takeNext: () => void;
}

export interface Performed<N extends WorkerJobName> {
  readonly result: JobResult<N>;
  readonly body: Uint8Array;
  /** For the log. */
  readonly summary: LogFields;
}

/** Does the jobs of one kind on one device. */
export interface Performer<N extends WorkerJobName> {
  /** For the log, as in "measured". */
  readonly done: string;
  readonly describe: (payload: JobPayload<N>) => LogFields;
  readonly perform: (payload: JobPayload<N>, context: JobContext) => Promise<Performed<N>>;
}

/** All kinds of jobs of one device; only such jobs are requested. */
export type Performers = { readonly [N in WorkerJobName]?: Performer<N> };
