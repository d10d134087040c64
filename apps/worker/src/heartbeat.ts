import {
  type Heartbeat as Answer,
  type HeartbeatRequest,
  type WorkerDesiredState,
  errorText,
} from '@alphaflops/contracts';
import { WorkerError } from './error.js';
import type { Log } from './log.js';
import { retryMs, type Wait } from './wait.js';

/** Minimum time between two heartbeats, also with many requests for an early one. */
const MIN_GAP_MS = 1_000;

/** Time for which a leaving worker waits for the answer to its last heartbeat. */
const LAST_WORD_WITHIN_MS = 3_000;

export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** Desired state of this worker from the session. */
  readonly desiredState: WorkerDesiredState;
  readonly send: (activity: HeartbeatRequest['activity'], signal: AbortSignal) => Promise<Answer>;
  readonly activity: () => 'idle' | 'measuring';
  /** Called when the desired state changes. */
  readonly onDesiredState: (state: WorkerDesiredState, reason: string | null) => void;
  readonly wait: Wait;
  readonly log: Log;
}

/**
 * Reports to the coordinator that this worker is alive, and receives its desired state. If the coordinator does not
 * answer, the worker tries again after growing delays. If it refuses the token, the worker is revoked.
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

  /** The last heartbeat: this worker has stopped. The worker leaves, also without an answer. */
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
          `${errorText(error)} Measuring continues, and the worker tries again until the coordinator answers.`,
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
