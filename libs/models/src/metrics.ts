import type { Metrics } from '@alphaflops/contracts';
import { log, square } from '@alphaflops/elementary';
import { median } from 'simple-statistics';

/** A prediction and its measurement. The bounds are null without an interval. */
export interface Judged {
  readonly measured: number;
  readonly predicted: number;
  readonly lower: number | null;
  readonly upper: number | null;
}

/**
 * Errors of predictions, as MetricsSchema defines them. All are finite: an error that overflows becomes the largest number.
 * It needs at least one pair, and all times must be positive.
 *
 * @param pairs times in milliseconds, or energies in millijoules
 * @returns errors as shares: 0.1 is 10 %
 */
export function judge(pairs: readonly Judged[]): Metrics {
  const n = pairs.length;
  const errors = pairs.map(({ measured, predicted }) => finite(Math.abs(predicted - measured) / measured));
  const mean = (values: readonly number[]): number => finite(values.reduce((sum, v) => sum + v, 0) / n);
  const share = (limit: number): number => errors.filter((error) => error <= limit).length / n;
  const measured = pairs.map((pair) => pair.measured);
  const predicted = pairs.map((pair) => pair.predicted);
  const bounded = pairs.filter((pair) => pair.lower !== null && pair.upper !== null);
  const inside = bounded.filter(
    ({ measured, lower, upper }) => (lower ?? NaN) <= measured && measured <= (upper ?? NaN),
  );
  return {
    n,
    mape: mean(errors),
    medianApe: median(errors),
    within10: share(0.1),
    within20: share(0.2),
    rmspe: Math.sqrt(mean(errors.map((error) => error * error))),
    r2: determination(measured, predicted),
    r2Log: determination(measured.map(log), predicted.map(log)),
    spearman: correlation(ranks(measured), ranks(predicted)),
    coverage: bounded.length === n ? inside.length / n : null,
  };
}

function finite(value: number): number {
  return Math.min(value, Number.MAX_VALUE);
}

/** 1 − RSS / TSS; null when the measured values do not vary, or when their variation overflows. */
function determination(measured: readonly number[], predicted: readonly number[]): number | null {
  const mean = measured.reduce((sum, v) => sum + v, 0) / measured.length;
  const total = measured.reduce((sum, v) => sum + square(v - mean), 0);
  if (!measured.some((v) => v !== measured[0])) return null;
  const rest = measured.reduce((sum, v, i) => sum + square(v - (predicted[i] ?? NaN)), 0);
  const share = 1 - rest / total;
  return Number.isFinite(share) ? share : null;
}

/** Ranks from 1; equal values share their mean rank. */
function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const result = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1] ?? 0] === values[order[from] ?? 0]) to += 1;
    for (let k = from; k <= to; k++) result[order[k] ?? 0] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return result;
}

function correlation(a: readonly number[], b: readonly number[]): number | null {
  const mean = (a.length + 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    const y = b[i] ?? NaN;
    ab += (x - mean) * (y - mean);
    aa += square(x - mean);
    bb += square(y - mean);
  });
  return aa === 0 || bb === 0 ? null : ab / Math.sqrt(aa * bb);
}
