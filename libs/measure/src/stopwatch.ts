import type { Clock } from './clock.js';
import { MeasureError } from './error.js';
import type { TimedConv } from './timed-conv.js';

/** Times batches of one convolution until a deadline of the clock. */
export class Stopwatch {
  private lastTimeMs = 0;
  /** Wall time from the start to the deadline, in milliseconds. */
  readonly limitMs: number;

  constructor(
    private readonly conv: TimedConv,
    private readonly clock: Clock,
    private readonly deadlineMs: number,
  ) {
    this.limitMs = this.leftMs;
  }

  /** Wall time left before the deadline, in milliseconds. */
  get leftMs(): number {
    return this.deadlineMs - this.clock.nowMs();
  }

  /**
   * Time of one convolution in a batch of `inner`, in milliseconds; null when such a batch would probably not end before the
   * deadline. 0 when the batch is shorter than the resolution of the executor's timer.
   *
   * @throws MeasureError `invalid-time` when the executor returns a value that is not a duration
   */
  async timeMs(inner: number): Promise<number | null> {
    if (this.leftMs <= this.lastTimeMs * inner) return null;
    const totalMs = await this.conv.timeBatchMs(inner);
    if (!Number.isFinite(totalMs) || totalMs < 0) {
      throw new MeasureError(
        'invalid-time',
        `the executor returned ${totalMs} as the milliseconds of ${inner} convolutions, which is not a duration`,
      );
    }
    this.lastTimeMs = totalMs / inner;
    return this.lastTimeMs;
  }
}
