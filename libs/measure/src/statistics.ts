import type { BatchClocks, Timing } from '@alphaflops/contracts';
import { mean, quantileSorted, sampleStandardDeviation } from 'simple-statistics';

/** Summary of the known clocks, in MHz; undefined if no clock is known. */
export function summariseClocks(clocksMhz: readonly (number | null)[]): BatchClocks | undefined {
  const sorted = clocksMhz.filter((clock) => clock !== null).sort((a, b) => a - b);
  const [minMhz] = sorted;
  const maxMhz = sorted.at(-1);
  if (minMhz === undefined || maxMhz === undefined) return undefined;
  return { medianMhz: quantileSorted(sorted, 0.5), minMhz, maxMhz };
}

type BatchStatistics = Pick<
  Timing,
  'timeMs' | 'timeMinMs' | 'timeQ25Ms' | 'timeQ75Ms' | 'timeMeanMs' | 'cv' | 'repetitions' | 'batchTimesMs'
>;

/**
 * Statistics of batch times in milliseconds of one convolution. Quartiles and median by definition 7 of
 * Hyndman & Fan (1996), as in R and NumPy: linear between order statistics, at 1 + (n − 1)·p.
 * The standard deviation in `cv` has n − 1 in the denominator; one batch has cv 0.
 *
 * @param batchTimesMs at least one
 * @returns milliseconds, and the batch times in their original order
 */
export function summarise(batchTimesMs: readonly number[]): BatchStatistics {
  const sorted = batchTimesMs.toSorted((a, b) => a - b);
  return {
    timeMs: quantileSorted(sorted, 0.5),
    timeMinMs: quantileSorted(sorted, 0),
    timeQ25Ms: quantileSorted(sorted, 0.25),
    timeQ75Ms: quantileSorted(sorted, 0.75),
    timeMeanMs: mean(sorted),
    cv: sorted.length < 2 ? 0 : sampleStandardDeviation(sorted) / mean(sorted),
    repetitions: sorted.length,
    batchTimesMs: [...batchTimesMs],
  };
}
