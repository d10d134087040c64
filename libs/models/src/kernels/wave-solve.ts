import { exp, log, square } from '@alphaflops/elementary';
import { NonNegativeNormal } from '@alphaflops/least-squares';
import { ROBUST_RELATIVE_ERROR } from '../form.js';
import { countWaves, fillTerms, TERMS, type Tiling } from './wave-formula.js';
import type { KernelRows } from './kernel-rows.js';

const { abs, max, min, sqrt } = Math;

export interface WaveSolution {
  readonly tiling: Tiling;
  /** All ≥ 0, in the order of the parameters of the formula. */
  readonly coefficients: Float64Array;
  readonly cost: number;
}

/** Shapes of a fit, with their target times. */
export interface WaveTargets {
  /** Indices of kernel rows; an index may occur twice. */
  readonly at: Int32Array;
  /** Logarithms of times in milliseconds, one for each of `at`. */
  readonly target: Float64Array;
  /** Weight of each squared residual. */
  readonly weight: Float64Array;
}

/** Weighted least squares as normal equations: lower triangle, right-hand side, sum of weights, rows. */
export const PACKED = TERMS * TERMS + TERMS + 2;
const [RIGHT, WEIGHTS, ROWS] = [TERMS * TERMS, PACKED - 2, PACKED - 1];

const normal = new NonNegativeNormal(TERMS);
const packed = new Float64Array(PACKED);

/** Terms divided by target times, in column-major order. With the correct coefficients, the sum of every row is 1. */
export function ratioTerms(
  { shapes, kernels, processors }: KernelRows,
  { at, target }: Pick<WaveTargets, 'at' | 'target'>,
  tiling: Tiling,
): Float64Array {
  const n = at.length;
  const x = new Float64Array(n * TERMS);
  for (let r = 0; r < n; r++) {
    const i = at[r] ?? 0;
    const shape = shapes[i];
    if (!shape) continue;
    fillTerms(shape, countWaves(shape, tiling, kernels[i]?.parts ?? 1, processors), processors, x, r, n);
    const inverse = exp(-(target[r] ?? 0));
    for (let j = 0; j < TERMS; j++) x[j * n + r] = (x[j * n + r] ?? 0) * inverse;
  }
  return x;
}

/** Non-negative, robust fit of log time for one tiling, by reweighted least squares on the ratio. */
export function solveWaves(
  rows: KernelRows,
  targets: WaveTargets,
  tiling: Tiling,
  rounds: number,
): WaveSolution {
  const x = ratioTerms(rows, targets, tiling);
  const n = targets.at.length;
  const coefficients = new Float64Array(TERMS);
  const { ratio, weight, cost } = {
    ratio: new Float64Array(n),
    weight: Float64Array.from(targets.weight),
    cost: { sum: 0 },
  };
  for (let round = 0; round <= rounds; round++) {
    packed.fill(0);
    for (let r = 0; r < n; r++) addRow(packed, 0, x, n, r, weight[r] ?? 0);
    normal.solve(packed, packed.subarray(RIGHT, WEIGHTS), coefficients);
    fillRatios(x, coefficients, ratio);
    cost.sum = 0;
    for (let r = 0; r < n; r++) {
      const own = targets.weight[r] ?? 0;
      const robust = sqrt(1 + square(log(ratio[r] ?? 1) / ROBUST_RELATIVE_ERROR));
      cost.sum += own * (robust - 1);
      weight[r] = own * ratioWeight(ratio[r] ?? 1);
    }
  }
  return { tiling, coefficients, cost: cost.sum };
}

/** Weight with which (ratio − 1)² equals the soft L1 loss of the log ratio. */
export function ratioWeight(ratio: number): number {
  const error = log(ratio);
  const linear = abs(ratio - 1) < 1e-6 ? 1 : error / (ratio - 1);
  return (linear * linear) / sqrt(1 + square(error / ROBUST_RELATIVE_ERROR));
}

export function fillRatios(x: Float64Array, coefficients: Float64Array, ratio: Float64Array): void {
  const n = ratio.length;
  ratio.fill(0);
  for (let j = 0; j < TERMS; j++) {
    const c = coefficients[j] ?? 0;
    if (c > 0) for (let r = 0; r < n; r++) ratio[r] = (ratio[r] ?? 0) + (x[j * n + r] ?? 0) * c;
  }
}

/** Adds row r of `x` with a weight to the normal equations at `offset`. */
export function addRow(
  equations: Float64Array,
  offset: number,
  x: Float64Array,
  n: number,
  r: number,
  weight: number,
): void {
  for (let j = 0; j < TERMS; j++) {
    const weighted = weight * (x[j * n + r] ?? 0);
    if (weighted === 0) continue;
    const row = offset + j * TERMS;
    for (let k = 0; k <= j; k++) {
      equations[row + k] = (equations[row + k] ?? 0) + weighted * (x[k * n + r] ?? 0);
    }
    equations[offset + RIGHT + j] = (equations[offset + RIGHT + j] ?? 0) + weighted;
  }
  equations[offset + WEIGHTS] = (equations[offset + WEIGHTS] ?? 0) + weight;
  equations[offset + ROWS] = (equations[offset + ROWS] ?? 0) + 1;
}

export const rowsIn = (equations: Float64Array): number => equations[ROWS] ?? 0;

/** Squared residuals without the bounds: a lower limit of {@link leastCost}, and several times as fast. */
export const costBound = (equations: Float64Array): number =>
  (equations[WEIGHTS] ?? 0) + normal.bound(equations, equations.subarray(RIGHT, WEIGHTS));

const scratch = new Float64Array(TERMS);
/** Weighted squared residuals with the best non-negative coefficients. */
export function leastCost(equations: Float64Array): number {
  const right = equations.subarray(RIGHT, WEIGHTS);
  normal.solve(equations, right, scratch);
  let cost = equations[WEIGHTS] ?? 0;
  for (let j = 0; j < TERMS; j++) {
    const c = scratch[j] ?? 0;
    if (c === 0) continue;
    cost -= 2 * c * (right[j] ?? 0);
    for (let k = 0; k < TERMS; k++) {
      cost += c * (scratch[k] ?? 0) * (equations[max(j, k) * TERMS + min(j, k)] ?? 0);
    }
  }
  return max(cost, 1e-12);
}
