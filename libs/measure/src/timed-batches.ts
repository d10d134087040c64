import type { BatchState } from './timed-conv.js';

/** The batches timed so far. Welford's recurrence updates mean and variance, so that a rule can check them after each batch. */
export class TimedBatches {
  /** Time of one convolution in each batch, in milliseconds. */
  readonly timesMs: number[] = [];
  /** State of the device at each batch, if the executor can read it. */
  readonly states: BatchState[] = [];
  private mean = 0;
  private sumOfSquares = 0;

  /** @param inner convolutions in one batch */
  constructor(readonly inner: number) {}

  add(timeMs: number, state: BatchState | null = null): void {
    this.timesMs.push(timeMs);
    if (state !== null) this.states.push(state);
    const step = timeMs - this.mean;
    this.mean += step / this.timesMs.length;
    this.sumOfSquares += step * (timeMs - this.mean);
  }

  /** Accumulated timed milliseconds. */
  get totalMs(): number {
    return this.mean * this.timesMs.length * this.inner;
  }

  /** Standard error of the mean, divided by the mean; infinite for fewer than two batches. */
  get relativeStandardError(): number {
    const count = this.timesMs.length;
    return count < 2 ? Infinity : Math.sqrt(this.sumOfSquares / (count - 1) / count) / this.mean;
  }
}
