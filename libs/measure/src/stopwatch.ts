import type { Clock } from './clock.js';
import { MeasureError } from './error.js';
import type { TimedConv } from './timed-conv.js';

/** Times batches of one convolution until a moment of the clock. */
export class Stopwatch {
  private lastTimeMs = 0;
  /** Wall milliseconds from the beginning to the deadline. */
  readonly limitMs: number;

  constructor(
    private readonly conv: TimedConv,
    private readonly clock: Clock,
    private readonly deadlineMs: number,
  ) {
    this.limitMs = this.leftMs;
  }

  /** Wall milliseconds left before the deadline. */
  get leftMs(): number {
    return this.deadlineMs - this.clock.nowMs();
  }

  /**
   * Milliseconds of one convolution in a batch of `inner`, or null when such a batch cannot be expected to end before
   * the deadline. 0 where the timer of the executor cannot tell such a batch from nothing.
   *
   * @throws MeasureError `invalid-time` when the executor returns what is no duration
   */
  async timeMs(inner: number): Promise<number | null> {
    if (this.leftMs <= this.lastTimeMs * inner) return null;
    const totalMs = await this.conv.timeBatchMs(inner);
    if (!Number.isFinite(totalMs) || totalMs < 0) {
      throw new MeasureError(
        'invalid-time',
        `the executor returned ${totalMs} as the milliseconds of ${inner} convolutions, which is no duration`,
      );
    }
    this.lastTimeMs = totalMs / inner;
    return this.lastTimeMs;
  }
}
