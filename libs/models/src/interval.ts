import type { Model } from '@alphaflops/contracts';

/** Width just outside the domain, as a multiple of the half-width inside. */
const BORDER_FACTOR = 2;

/**
 * Interval of a model from the held-out errors |log(t/t̂)| of all folds, pooled as in cross-conformal prediction (Vovk
 * 2015), by the rank ⌈(n + 1)·coverage⌉. It is around the prediction of the published fit, so that the bound of CV+
 * (Barber et al. 2021), a coverage of 2·coverage − 1 for exchangeable shapes, does not strictly apply. Its actual coverage is
 * measured on held-out shapes. There are no data outside the domain: the half-width there is doubled, and grows by one
 * half-width per doubling beyond the border.
 *
 * @param logErrors one for each sample, by a fit that did not see its shape
 * @param coverage requested share of measurements inside, between 0 and 1
 */
export function conformalInterval(logErrors: readonly number[], coverage: number): Model['interval'] {
  const logHalfWidth = conformalQuantile(logErrors, coverage);
  return {
    coverage,
    logHalfWidth,
    logHalfWidthOutside: logHalfWidth === null ? null : BORDER_FACTOR * logHalfWidth,
  };
}

/**
 * The error that the requested share of errors does not exceed (rank ⌈(n + 1)·coverage⌉).
 *
 * @returns null when there are too few errors for that rank
 */
export function conformalQuantile(logErrors: readonly number[], coverage: number): number | null {
  const sorted = [...logErrors].sort((a, b) => a - b);
  return sorted[Math.ceil((sorted.length + 1) * coverage) - 1] ?? null;
}

/** Half-width for a spec that is `doublings` outside the domain (null: inside). Null for Infinity: no similar spec was measured. */
export function logHalfWidth(interval: Model['interval'], doublings: number | null): number | null {
  if (doublings === null) return interval.logHalfWidth;
  if (doublings === Infinity) return null;
  if (interval.logHalfWidth === null || interval.logHalfWidthOutside === null) return null;
  return interval.logHalfWidthOutside + doublings * interval.logHalfWidth;
}
