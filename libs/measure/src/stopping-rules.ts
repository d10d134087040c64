import type { Protocol, Timing } from '@alphaflops/contracts';
import type { TimedBatches } from './timed-batches.js';

/** The largest number of batch times that a stored sample holds. */
export const MAX_BATCHES = 10_000;

/** Fewer batches than this have no useful quartiles. The limit also applies to slow convolutions. */
export const MIN_BATCHES = 3;

/**
 * The rule that ends the timing after these batches; null if timing continues. `relative-standard-error`: enough batches give
 * a precise mean. `total-time`: the time budget is spent, or a sample cannot hold more batch times.
 */
export function stoppingRuleMet(
  { timesMs, totalMs, relativeStandardError }: TimedBatches,
  { minBatches, maxRelativeStandardError, maxTotalMs }: Protocol,
): Timing['stoppedBy'] | null {
  const count = timesMs.length;
  if (count >= minBatches && relativeStandardError < maxRelativeStandardError) {
    return 'relative-standard-error';
  }
  return count >= MAX_BATCHES || (count >= MIN_BATCHES && totalMs >= maxTotalMs) ? 'total-time' : null;
}
