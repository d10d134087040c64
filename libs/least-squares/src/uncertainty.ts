import { square } from '@alphaflops/elementary';
import { norm, qrInPlace, singularValues, upperTriangle } from './linear-algebra.js';

/** The uncertainty of each parameter at the end of a fit. */
export interface Uncertainty {
  /** `on-bound`: held at its bound; `undetermined`: the residuals do not depend on it alone (rank deficiency). */
  readonly states: readonly ('estimated' | 'on-bound' | 'fixed' | 'undetermined')[];
  /**
   * Null unless the parameter is estimated and there are more residuals than parameters. Parameters that are fixed or
   * on a bound count as known.
   */
  readonly standardErrors: readonly (number | null)[];
  /** Null if one of the two parameters has no standard error. */
  readonly correlation: readonly (readonly (number | null)[])[];
  /** Number of independent columns of the Jacobian for the free parameters. */
  readonly rank: number;
}

/** Singular values below this share of the largest count as zero (columns are scaled to length 1 first). */
const RANK_TOLERANCE = 1e-9;
/** A parameter with more than this squared share in a null direction is undetermined. */
const NULL_SHARE = 1e-6;

/**
 * Uncertainty from the column-major Jacobian (destroyed) restricted to the free parameters, by the pseudo-inverse of
 * JᵀJ. `variance` returns the residual variance for a given number of free parameters, or null without degrees of
 * freedom.
 *
 * @param jacobian rows × n, column-major, n being the length of `held`
 * @param held why a parameter is not free, or null for a free one
 */
export function uncertainty(
  jacobian: Float64Array,
  rows: number,
  held: readonly ('on-bound' | 'fixed' | null)[],
  variance: (freeParameters: number) => number | null,
): Uncertainty {
  const free = held.flatMap((state, j) => (state === null ? [j] : []));
  const n = free.length;
  const scales = free.map((j) => norm(jacobian, j * rows, rows) || 1);
  // Zero rows at the end make QR possible when there are fewer residuals than parameters.
  const padded = Math.max(rows, n);
  const scaled = new Float64Array(padded * n);
  free.forEach((j, k) => {
    for (let i = 0; i < rows; i++) scaled[k * padded + i] = (jacobian[j * rows + i] ?? 0) / (scales[k] ?? 1);
  });
  qrInPlace(scaled, padded, n, new Float64Array(padded));
  const { values, v } = singularValues(upperTriangle(scaled, padded, n), n);
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  const kept = [...values.keys()].filter((k) => (values[k] ?? 0) > RANK_TOLERANCE * largest);
  const nullShare = (row: number): number =>
    1 - kept.reduce((sum, k) => sum + square(v[k * n + row] ?? 0), 0);
  const sigma2 = variance(kept.length);

  const states: Uncertainty['states'][number][] = held.map((state) => state ?? 'estimated');
  free.forEach((j, row) => {
    if (nullShare(row) > NULL_SHARE) states[j] = 'undetermined';
  });
  const unscaled = (a: number, b: number): number =>
    kept.reduce((sum, k) => sum + ((v[k * n + a] ?? 0) * (v[k * n + b] ?? 0)) / square(values[k] ?? 1), 0);
  const rowOf = (j: number): number | null =>
    sigma2 !== null && states[j] === 'estimated' ? free.indexOf(j) : null;
  const standardErrors = held.map((_, j) => {
    const row = rowOf(j);
    return row === null ? null : Math.sqrt((sigma2 ?? 0) * unscaled(row, row)) / (scales[row] ?? 1);
  });
  const correlation = held.map((_, i) =>
    held.map((__, j) => {
      const [a, b] = [rowOf(i), rowOf(j)];
      if (a === null || b === null) return null;
      return a === b ? 1 : unscaled(a, b) / Math.sqrt(unscaled(a, a) * unscaled(b, b));
    }),
  );
  return { states, standardErrors, correlation, rank: kept.length };
}
