import type { Model } from '@alphaflops/contracts';

/** Width outside the domain, in half-widths inside it, at its border. */
const BORDER_FACTOR = 2;

/**
 * Interval of a model from held-out errors |log(t/t̂)| by split-conformal rank ⌈(n + 1)·coverage⌉ (Lei et al. 2018): the
 * asked coverage holds for shapes like those of the samples. Outside the domain nothing guarantees it; there the
 * half-width is doubled, and grows by one half-width per doubling beyond the border.
 */
export function conformalInterval(logErrors: readonly number[], coverage: number): Model['interval'] {
  const logHalfWidth = conformalQuantile(logErrors, coverage);
  return {
    coverage,
    logHalfWidth,
    logHalfWidthOutside: logHalfWidth === null ? null : BORDER_FACTOR * logHalfWidth,
  };
}

/** Null when there are too few errors for the asked coverage. */
export function conformalQuantile(logErrors: readonly number[], coverage: number): number | null {
  const sorted = [...logErrors].sort((a, b) => a - b);
  return sorted[Math.ceil((sorted.length + 1) * coverage) - 1] ?? null;
}

/** Half-width for a spec that lies `doublings` outside (null: inside); none where nothing like it was measured (Infinity). */
export function logHalfWidth(interval: Model['interval'], doublings: number | null): number | null {
  if (doublings === null) return interval.logHalfWidth;
  if (doublings === Infinity) return null;
  if (interval.logHalfWidth === null || interval.logHalfWidthOutside === null) return null;
  return interval.logHalfWidthOutside + doublings * interval.logHalfWidth;
}
