import type { Protocol } from '@alphaflops/contracts';
import { MeasureError } from './error.js';
import type { Stopwatch } from './stopwatch.js';

/** More convolutions than this in one batch would only measure the loop. */
const MAX_INNER_ITERATIONS = 1_000_000;

/** A batch is planned this much longer than it must be, so that a slightly faster one still is long enough. */
const HEADROOM = 1.2;
const MAX_GROWTH = 10;

/**
 * A timer that has read 0 counts in steps no longer than its first other reading. A batch then lasts so many steps, for an
 * error of at most 5 %.
 */
const MIN_STEPS = 20;

export interface WarmedUp {
  /** Convolutions in one timed batch. */
  readonly inner: number;
  /** Convolutions run before the first timed batch. */
  readonly runs: number;
}

/**
 * Runs batches of growing length until one lasts `minBatchMs`, at least `warmUpMinRuns` convolutions have run, and two
 * successive batches agree within `warmUpTolerance`; the last two conditions are given up after `warmUpMaxMs`.
 * Where the timer reads 0, batches grow until it can be read.
 * Returns null when the stopwatch ran out first.
 *
 * @throws MeasureError `invalid-time` when the timer reads 0 however many convolutions a batch has
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
    const wanted = (HEADROOM * minBatchMs) / timeMs;
    if (!isLongEnough) inner = Math.min(Math.ceil(wanted), inner * MAX_GROWTH, MAX_INNER_ITERATIONS);
  }
}

/** The error of a timer that reads 0 for a whole batch. */
export function unreadable(inner: number): MeasureError {
  return new MeasureError('invalid-time', `the timer of the executor reads 0 ms for ${inner} convolutions`);
}
