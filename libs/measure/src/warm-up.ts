import type { Protocol } from '@alphaflops/contracts';
import type { Stopwatch } from './stopwatch.js';

/** More convolutions than this in one batch would only measure the loop. */
const MAX_INNER_ITERATIONS = 1_000_000;

/** A batch is planned this much longer than it must be, so that a slightly faster one still is long enough. */
const HEADROOM = 1.2;
const MAX_GROWTH = 10;

export interface WarmedUp {
  /** Convolutions in one timed batch. */
  readonly inner: number;
  /** Convolutions run before the first timed batch. */
  readonly runs: number;
}

/**
 * Runs batches of growing length until one lasts `minBatchMs`, at least `warmUpMinRuns` convolutions have run, and two
 * successive batches agree within `warmUpTolerance`; the last two conditions are given up after `warmUpMaxMs`.
 * Returns null when the stopwatch ran out first.
 */
export async function warmUp(stopwatch: Stopwatch, protocol: Protocol): Promise<WarmedUp | null> {
  let inner = 1;
  let runs = 0;
  let spentMs = 0;
  let previousMs = 0;
  for (;;) {
    const timeMs = await stopwatch.timeMs(inner);
    if (timeMs === null) return null;
    const batchMs = timeMs * inner;
    runs += inner;
    spentMs += batchMs;
    const isLongEnough = batchMs >= protocol.minBatchMs || inner === MAX_INNER_ITERATIONS;
    const isSettled =
      Math.abs(timeMs - previousMs) <= protocol.warmUpTolerance * previousMs &&
      runs >= protocol.warmUpMinRuns;
    if (isLongEnough && (isSettled || spentMs >= protocol.warmUpMaxMs)) return { inner, runs };
    previousMs = timeMs;
    const wanted = (HEADROOM * protocol.minBatchMs) / timeMs;
    if (!isLongEnough) inner = Math.min(Math.ceil(wanted), inner * MAX_GROWTH, MAX_INNER_ITERATIONS);
  }
}
