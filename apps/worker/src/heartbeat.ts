import {
  type Heartbeat as Answer,
  type HeartbeatRequest,
  type WorkerDesiredState,
  errorText,
} from '@alphaflops/contracts';
import { WorkerError } from './error.js';
import type { Log } from './log.js';
import { retryMs, type Wait } from './wait.js';

/** However often it is hurried, the coordinator is not asked more often than this. */
const MIN_GAP_MS = 1_000;

/** How long a worker that leaves waits for its last heartbeat to be answered. */
const LAST_WORD_WITHIN_MS = 3_000;

export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** What the session said is wanted of this worker. */
  readonly desiredState: WorkerDesiredState;
  readonly send: (activity: HeartbeatRequest['activity'], signal: AbortSignal) => Promise<Answer>;
  readonly activity: () => 'idle' | 'measuring';
  /** Called when something else is wanted than before. */
  readonly onDesiredState: (state: WorkerDesiredState, reason: string | null) => void;
  readonly wait: Wait;
  readonly log: Log;
}

/**
 * Tells the coordinator that this worker is alive and hears what is wanted of it. A coordinator that does not answer
 * changes nothing: it is asked again after growing delays. One that refuses the token has revoked the worker.
 */
export class Heartbeat {
  private readonly leaving = new AbortController();
  private desiredState: WorkerDesiredState;
  private failures = 0;
  private earlyBeat = new AbortController();
  private lastBeatMs = 0;

  constructor(private readonly options: HeartbeatOptions) {
    this.desiredState = options.desiredState;
  }

  /** Beats until it is stopped or the worker is revoked. */
  async run(): Promise<void> {
    while (!this.leaving.signal.aborted) {
      const pauseMs = await this.beat();
      if (this.desiredState === 'revoked') return;
      await this.options.wait(pauseMs, AbortSignal.any([this.leaving.signal, this.earlyBeat.signal]));
      this.earlyBeat = new AbortController();
    }
  }

  /** Sends a heartbeat now: the worker was refused or got no answer, and asks for its desired state. */
  beatNow(): void {
    if (performance.now() - this.lastBeatMs >= MIN_GAP_MS) this.earlyBeat.abort();
  }

  /** The last word: this worker has stopped. Whether it is heard or not, the worker leaves. */
  async stop(): Promise<void> {
    this.leaving.abort();
    if (this.desiredState === 'revoked') return;
    try {
      await this.options.send('stopped', AbortSignal.timeout(LAST_WORD_WITHIN_MS));
    } catch (error) {
      this.options.log.warn(`The coordinator does not know that this worker stops. ${errorText(error)}`);
    }
  }

  /** Returns the milliseconds until the next one. */
  private async beat(): Promise<number> {
    const { send, activity, log, intervalMs } = this.options;
    this.lastBeatMs = performance.now();
    try {
      const answer = await send(activity(), this.leaving.signal);
      if (this.failures > 0) log.info('The coordinator answers again.', { tries: this.failures + 1 });
      this.failures = 0;
      this.tell(answer.desiredState, answer.reason);
      return intervalMs;
    } catch (error) {
      if (this.leaving.signal.aborted) return 0;
      if (error instanceof WorkerError && error.code === 'refused') {
        this.tell('revoked', error.message);
        return 0;
      }
      this.failures += 1;
      if (this.failures === 1) {
        log.warn(
          `${errorText(error)} Measuring goes on, and the coordinator is tried again until it answers.`,
        );
      }
      return retryMs(this.failures);
    }
  }

  private tell(state: WorkerDesiredState, reason: string | null): void {
    if (state === this.desiredState || this.leaving.signal.aborted) return;
    this.desiredState = state;
    this.options.onDesiredState(state, reason);
  }
}
