import type { Protocol, Timing } from '@alphaflops/contracts';
import type { TimedBatches } from './timed-batches.js';

/** As many batch times as a stored sample holds. */
export const MAX_BATCHES = 10_000;

/** Fewer batches than this have no quartiles worth the name, however slow the convolution. */
export const MIN_BATCHES = 3;

/**
 * The rule that ends the timing after these batches, null while none does. `relative-standard-error`: the mean is known
 * well, from enough batches. `total-time`: the time budget is spent, or a sample can hold no more batch times.
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
