import type { JobPayload, JobResult, WorkerJobName } from '@alphaflops/contracts';
import type { LogFields } from './log.js';

export interface JobContext {
  /** How often the job was begun, this time included. */
  readonly attempt: number;
  /** Fires when the job was taken away, or is to be given back at once. */
  readonly signal: AbortSignal;
  /** Asks for the next job already, as this one is about to end. */
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

/** All that one device can do; only such jobs are asked for. */
export type Performers = { readonly [N in WorkerJobName]?: Performer<N> };
