import { hypot } from '@alphaflops/elementary';
import { LeastSquaresError } from './error.js';
import { dot, norm, qrInPlace, solveUpper, upperTriangle } from './linear-algebra.js';

export interface NonNegativeResult {
  readonly reason: 'converged' | 'max-iterations';
  /** All are ≥ 0, and exactly 0 for terms that do not lower the cost. */
  readonly coefficients: Float64Array;
  readonly residualNorm: number;
}

/**
 * Non-negative linear least squares, min ‖A·x − b‖ with x ≥ 0 (Lawson and Hanson 1974, chapter 23). `a` is
 * column-major with `b.length` rows and is not changed. A QR factorization first reduces the problem to a square one,
 * so that long tables need only one pass.
 *
 * @param a m×n matrix
 * @param b m elements
 * @returns n coefficients, and ‖A·x − b‖ in the unit of `b`
 * @throws LeastSquaresError when the size of `a` is not a multiple of `b.length`, or a value is not finite.
 */
export function nonNegativeLeastSquares(a: Float64Array, b: Float64Array): NonNegativeResult {
  const rows = b.length;
  const n = rows === 0 ? 0 : a.length / rows;
  if (n === 0 || !Number.isInteger(n)) {
    throw new LeastSquaresError('bad-shape', `${a.length} matrix elements do not fit ${rows} rows`);
  }
  if (!a.every(Number.isFinite) || !b.every(Number.isFinite)) {
    throw new LeastSquaresError('not-finite', 'the matrix and the right-hand side must be finite');
  }
  const padded = Math.max(rows, n);
  const work = new Float64Array(padded * n);
  for (let j = 0; j < n; j++) work.set(a.subarray(j * rows, (j + 1) * rows), j * padded);
  const rotated = new Float64Array(padded);
  rotated.set(b);
  qrInPlace(work, padded, n, rotated);
  const r = upperTriangle(work, padded, n);
  const right = rotated.slice(0, n);
  const outside = norm(rotated, n);

  const x = new Float64Array(n);
  const passive = new Set<number>();
  const tolerances = Array.from({ length: n }, (_, j) => 1e-12 * norm(r, j * n, n) * norm(right));
  const maxIterations = 3 * n + 10;
  let reason: NonNegativeResult['reason'] = 'max-iterations';
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const rest = residual(r, n, right, x);
    const entering = steepest(r, n, rest, passive, tolerances);
    if (entering === null) {
      reason = 'converged';
      break;
    }
    passive.add(entering);
    settle(r, n, right, x, passive);
  }
  return { reason, coefficients: x, residualNorm: hypot(norm(residual(r, n, right, x)), outside) };
}

/** Solves on the passive set. Steps back to the bound and drops coefficients that reach 0 until all are positive. */
function settle(
  r: Float64Array,
  n: number,
  right: Float64Array,
  x: Float64Array,
  passive: Set<number>,
): void {
  while (passive.size > 0) {
    const columns = [...passive].sort((p, q) => p - q);
    const solution = solveOn(r, n, right, columns);
    if (solution.every((value) => value > 0)) {
      x.fill(0);
      columns.forEach((j, k) => (x[j] = solution[k] ?? 0));
      return;
    }
    let share = 1;
    columns.forEach((j, k) => {
      const [from, to] = [x[j] ?? 0, solution[k] ?? 0];
      if (to <= 0) share = Math.min(share, from - to === 0 ? 0 : from / (from - to));
    });
    columns.forEach((j, k) => {
      const from = x[j] ?? 0;
      const to = solution[k] ?? 0;
      const value = from + share * (to - from);
      const reaches = to <= 0 && (from - to === 0 || from / (from - to) <= share);
      x[j] = reaches ? 0 : value;
      if (reaches) passive.delete(j);
    });
  }
}

function solveOn(r: Float64Array, n: number, right: Float64Array, columns: readonly number[]): Float64Array {
  const a = new Float64Array(n * columns.length);
  columns.forEach((j, k) => {
    a.set(r.subarray(j * n, (j + 1) * n), k * n);
  });
  const b = Float64Array.from(right);
  qrInPlace(a, n, columns.length, b);
  return solveUpper(a, n, columns.length, b);
}

function residual(r: Float64Array, n: number, right: Float64Array, x: Float64Array): Float64Array {
  const rest = Float64Array.from(right);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i <= j; i++) rest[i] = (rest[i] ?? 0) - (r[j * n + i] ?? 0) * (x[j] ?? 0);
  }
  return rest;
}

function steepest(
  r: Float64Array,
  n: number,
  rest: Float64Array,
  passive: ReadonlySet<number>,
  tolerances: readonly number[],
): number | null {
  let best: number | null = null;
  let bestSlope = 0;
  for (let j = 0; j < n; j++) {
    const slope = dot(r, j * n, rest, 0, n);
    if (!passive.has(j) && slope > (tolerances[j] ?? 0) && slope > bestSlope) [best, bestSlope] = [j, slope];
  }
  return best;
}
