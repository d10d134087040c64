import { MeasureError } from '@alphaflops/measure';

/** Share by which the sum of all reported times may exceed the wall time of their requests, because clocks differ in their rate. */
const MAX_EXCESS = 0.1;
const CLOCK_STEP_MS = 1;

/**
 * Compares the times that a program reports for one convolution with the wall time of its requests. If a timer counts in long
 * steps, a reading may be one step too long, and the sum of all readings may be at most one step too long.
 */
export class ReportedTimes {
  private reportedMs = 0;
  private wallMs = 0;
  private hasReadZero = false;
  /** First reading above 0, after a reading of 0. */
  private stepMs = 0;

  /** @param nowMs monotonic milliseconds */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /**
   * The program's time for `inner` convolutions, in milliseconds.
   *
   * @throws MeasureError `invalid-time` when it is more than the elapsed time
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
