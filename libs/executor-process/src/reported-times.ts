import { MeasureError } from '@alphaflops/measure';

/** By how much all reported times together may exceed the wall time of their requests: clocks differ in their rate. */
const MAX_EXCESS = 0.1;
const CLOCK_STEP_MS = 1;

/**
 * Holds the times that a program reports for one convolution against the wall time of its requests. Of a timer that
 * counts in long steps one reading may be a step too long; all of them together may not be more than that.
 */
export class ReportedTimes {
  private reportedMs = 0;
  private wallMs = 0;
  private hasReadZero = false;
  /** First reading above 0 of a timer that has read 0. */
  private stepMs = 0;

  /** @param nowMs monotonic milliseconds */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /**
   * What the program reports for `inner` convolutions, in milliseconds.
   *
   * @throws MeasureError `invalid-time` when that is more than has passed
   */
  async checked(inner: number, request: () => Promise<number>): Promise<number> {
    const startMs = this.nowMs();
    const timeMs = await request();
    const wallMs = this.nowMs() - startMs;
    this.reportedMs += timeMs;
    this.wallMs += wallMs;
    if (timeMs === 0) this.hasReadZero = true;
    else if (this.hasReadZero && this.stepMs === 0) this.stepMs = timeMs;
    if (this.reportedMs > (1 + MAX_EXCESS) * this.wallMs + Math.max(CLOCK_STEP_MS, this.stepMs)) {
      throw new MeasureError(
        'invalid-time',
        `the program reported ${timeMs} ms for ${inner} convolutions, but the whole request took ` +
          `${wallMs.toFixed(2)} ms: are these milliseconds?`,
      );
    }
    return timeMs;
  }
}
