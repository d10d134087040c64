import type { Protocol } from '@alphaflops/contracts';
import { MeasureError } from './error.js';
import type { Stopwatch } from './stopwatch.js';

/** Batches with more convolutions than this would mainly measure the loop. */
const MAX_INNER_ITERATIONS = 1_000_000;

/** The planned length of a batch is this multiple of the required one, so that a slightly faster batch is still long enough. */
const HEADROOM = 1.2;
const MAX_GROWTH = 10;

/**
 * A timer that read 0 counts in steps. Its first other reading is at least one step. A batch then lasts at least this number of
 * steps, so that the error of the timer is at most 5 %.
 */
const MIN_STEPS = 20;

export interface WarmedUp {
  /** Number of convolutions in one timed batch. */
  readonly inner: number;
  /** Number of convolutions before the first timed batch. */
  readonly runs: number;
}

/**
 * Runs batches of growing length until one lasts `minBatchMs`, at least `warmUpMinRuns` convolutions have run, and two
 * successive batches agree within `warmUpTolerance`. After `warmUpMaxMs` it ignores the last two conditions.
 * If the timer reads 0, batches grow until it reads more.
 * Returns null when the stopwatch ran out first.
 *
 * @throws MeasureError `invalid-time` when the timer reads 0 even for the largest batch
 */
export async function warmUp(stopwatch: Stopwatch, protocol: Protocol): Promise<WarmedUp | null> {
  let inner = 1;
  let runs = 0;
  let spentMs = 0;
  let previousMs = 0;
  let minBatchMs = protocol.minBatchMs;
  let hasReadZero = false;
  for (;;) {
    const timeMs = await stopwatch.timeMs(inner);
    if (timeMs === null) return null;
    const batchMs = timeMs * inner;
    if (batchMs === 0) {
      if (inner === MAX_INNER_ITERATIONS) throw unreadable(inner);
      hasReadZero = true;
      inner = Math.min(inner * MAX_GROWTH, MAX_INNER_ITERATIONS);
      continue;
    }
    if (hasReadZero && previousMs === 0) minBatchMs = Math.max(minBatchMs, MIN_STEPS * batchMs);
    runs += inner;
    spentMs += batchMs;
    const isLongEnough = batchMs >= minBatchMs || inner === MAX_INNER_ITERATIONS;
    const isSettled =
      Math.abs(timeMs - previousMs) <= protocol.warmUpTolerance * previousMs &&
      runs >= protocol.warmUpMinRuns;
    if (isLongEnough && (isSettled || spentMs >= protocol.warmUpMaxMs)) return { inner, runs };
    previousMs = timeMs;
    const neededInner = (HEADROOM * minBatchMs) / timeMs;
    if (!isLongEnough) inner = Math.min(Math.ceil(neededInner), inner * MAX_GROWTH, MAX_INNER_ITERATIONS);
  }
}

/** The error for a timer that reads 0 for a whole batch. */
export function unreadable(inner: number): MeasureError {
  return new MeasureError('invalid-time', `the timer of the executor reads 0 ms for ${inner} convolutions`);
}
