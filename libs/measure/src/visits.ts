import type { NoiseFloor, Protocol } from '@alphaflops/contracts';
import { log } from '@alphaflops/elementary';
import { quantileSorted } from 'simple-statistics';

/** The difference of two times of one shape: |ln(a / b)|. A small value is about the relative difference. */
function logRatio(aMs: number, bMs: number): number {
  return Math.abs(log(aMs / bMs));
}

/**
 * Whether two visits of a shape agree as closely as the protocol requires: their difference is at most
 * `noisyRelativeStandardError`, above which a single sample counts as noisy too.
 *
 * @param aMs milliseconds of one convolution, above 0
 * @param bMs the same for the other visit
 */
export function visitsAgree(
  aMs: number,
  bMs: number,
  { noisyRelativeStandardError }: Pick<Protocol, 'noisyRelativeStandardError'>,
): boolean {
  return logRatio(aMs, bMs) <= log(1 + noisyRelativeStandardError);
}

/**
 * Positions of the visits that agree with no other visit of the same shape. A single visit is always accepted.
 *
 * @param timesMs times of the visits of one shape by one device, in milliseconds
 * @returns indices into `timesMs`; none for a single visit
 */
export function unconfirmedVisits(
  timesMs: readonly number[],
  protocol: Pick<Protocol, 'noisyRelativeStandardError'>,
): number[] {
  if (timesMs.length < 2) return [];
  return [...timesMs.keys()].filter((at) =>
    timesMs.every((otherMs, other) => other === at || !visitsAgree(timesMs[at] as number, otherMs, protocol)),
  );
}

/**
 * The spread between the first two visits of each shape by one device; null if no shape has two visits.
 *
 * @param visits for each shape and device the times of its visits in milliseconds, oldest first
 * @returns quantiles of |ln(first / second)| (definition 7 of Hyndman and Fan 1996)
 */
export function noiseFloorOf(visits: Iterable<readonly number[]>): NoiseFloor | null {
  const ratios: number[] = [];
  for (const [first, second] of visits) {
    if (first !== undefined && second !== undefined) ratios.push(logRatio(first, second));
  }
  if (ratios.length === 0) return null;
  ratios.sort((a, b) => a - b);
  return {
    shapes: ratios.length,
    medianLogRatio: quantileSorted(ratios, 0.5),
    p90LogRatio: quantileSorted(ratios, 0.9),
  };
}
