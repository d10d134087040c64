import { cube, log, square } from '@alphaflops/elementary';
import { P, tileWaveGradient, tileWaveMs, valuesOf } from './tile-wave.js';

const { abs, max, min, sqrt } = Math;

/** Shapes of one kernel family as rows of the formula, with log milliseconds. */
export interface TileWaveData {
  readonly rows: Float64Array;
  /** Elements of one row. */
  readonly stride: number;
  readonly logTime: Float64Array;
}

/** Relative error at which a residual begins to count by its size instead of its square (soft L1). */
const ROBUST = 0.1;
/** Relative decrease of the cost below which a search ends. */
const SETTLED = 1e-4;
const INITIAL_DAMPING = 1e-3;
const MAX_DAMPING = 1e12;

/** First-order weight of a residual under soft L1. */
export const robustWeight = (residual: number): number => 1 / sqrt(1 + square(residual / ROBUST));
const robustLoss = (residual: number): number => {
  const z = square(residual / ROBUST);
  return (2 * ROBUST * ROBUST * z) / (sqrt(1 + z) + 1);
};

export interface DampedProblem {
  readonly data: TileWaveData;
  /** Indices of the rows that are fitted. */
  readonly members: Int32Array;
  /** Where the search starts and what the ridge pulls to. */
  readonly centre: Float64Array;
  readonly ridge: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly maxIterations: number;
}

/** Lower triangle by rows: element (i, j ≤ i) at i·(i + 1)/2 + j. */
export const TRIANGLE = (P * (P + 1)) / 2;

export interface DampedFit {
  readonly vector: Float64Array;
  readonly cost: number;
  readonly reason: 'converged' | 'max-iterations';
  /** Weighted normal matrix at the end, ridge included (lower triangle). */
  readonly normal: Float64Array;
}

/**
 * Robust least squares on log time with a ridge towards `centre`, by Levenberg–Marquardt on the normal equations: the
 * ridge keeps them well conditioned, and they cost one pass over the rows. Residuals and ridge pass through soft L1.
 */
export function dampedFit(problem: DampedProblem): DampedFit {
  const { data, members, centre, ridge, lower, upper, maxIterations } = problem;
  let vector = Float64Array.from(centre, (value, j) => clamp(value, lower[j] ?? 0, upper[j] ?? 0));
  const normal = new Float64Array(TRIANGLE);
  const slope = new Float64Array(P);
  let cost = normalEquations(data, members, vector, centre, ridge, normal, slope);
  let damping = INITIAL_DAMPING;
  let growth = 2;
  for (let iteration = 1; iteration < maxIterations; iteration++) {
    const held = Array.from(
      vector,
      (value, j) =>
        (value <= (lower[j] ?? 0) && (slope[j] ?? 0) >= 0) ||
        (value >= (upper[j] ?? 0) && (slope[j] ?? 0) <= 0),
    );
    for (;;) {
      const step = dampedStep(normal, slope, held, damping);
      const target = vector.map((value, j) => clamp(value - (step[j] ?? 0), lower[j] ?? 0, upper[j] ?? 0));
      const trial = costAt(data, members, target, centre, ridge);
      const promised = max(promise(normal, slope, vector, target), Number.MIN_VALUE);
      const gain = (cost - trial) / promised;
      if (gain > 1e-4 && trial < cost) {
        const settled = cost - trial <= SETTLED * cost;
        vector = target;
        damping *= max(1 / 3, 1 - cube(2 * min(gain, 1) - 1));
        growth = 2;
        cost = normalEquations(data, members, vector, centre, ridge, normal, slope);
        if (settled) return { vector, cost, reason: 'converged', normal };
        break;
      }
      damping *= growth;
      growth *= 2;
      if (promised <= SETTLED * cost || damping > MAX_DAMPING) {
        return { vector, cost, reason: 'converged', normal };
      }
    }
  }
  return { vector, cost, reason: 'max-iterations', normal };
}

const clamp = (value: number, low: number, high: number): number => min(max(value, low), high);

/** Cost without derivatives. */
export function costAt(
  { rows, stride, logTime }: TileWaveData,
  members: Int32Array,
  vector: Float64Array,
  centre: Float64Array,
  ridge: number,
): number {
  const p = valuesOf(vector);
  let cost = 0;
  for (const i of members) cost += robustLoss(log(tileWaveMs(p, rows, i * stride)) - (logTime[i] ?? 0));
  for (let j = 0; j < P; j++) cost += robustLoss(ridge * ((vector[j] ?? 0) - (centre[j] ?? 0)));
  return cost;
}

/** Fills the normal matrix JᵀWJ and slope JᵀWr, ridge included; returns the cost. */
function normalEquations(
  { rows, stride, logTime }: TileWaveData,
  members: Int32Array,
  vector: Float64Array,
  centre: Float64Array,
  ridge: number,
  normal: Float64Array,
  slope: Float64Array,
): number {
  const p = valuesOf(vector);
  const gradient = new Float64Array(P);
  normal.fill(0);
  slope.fill(0);
  let cost = 0;
  for (const i of members) {
    const residual = log(tileWaveGradient(p, rows, i * stride, gradient)) - (logTime[i] ?? 0);
    cost += robustLoss(residual);
    addProduct(gradient, residual, robustWeight(residual), normal, slope);
  }
  for (let j = 0; j < P; j++) {
    const pull = ridge * ((vector[j] ?? 0) - (centre[j] ?? 0));
    const weight = ridge * robustWeight(pull);
    cost += robustLoss(pull);
    const diagonal = (j * (j + 3)) / 2;
    normal[diagonal] = (normal[diagonal] ?? 0) + weight * ridge;
    slope[j] = (slope[j] ?? 0) + weight * pull;
  }
  return cost;
}

/** Adds weight·ggᵀ and weight·residual·g; most elements of g are 0. */
function addProduct(
  gradient: Float64Array,
  residual: number,
  weight: number,
  normal: Float64Array,
  slope: Float64Array,
): void {
  for (let i = 0, row = 0; i < P; row += ++i) {
    const scaled = weight * (gradient[i] ?? 0);
    if (scaled === 0) continue;
    slope[i] = (slope[i] ?? 0) + scaled * residual;
    for (let j = 0; j <= i; j++) normal[row + j] = (normal[row + j] ?? 0) + scaled * (gradient[j] ?? 0);
  }
}

const factor = new Float64Array(TRIANGLE);

/** Solves (N + damping·diag N)·x = slope on the parameters that are not held; the others stay. */
function dampedStep(
  normal: Float64Array,
  slope: Float64Array,
  held: readonly boolean[],
  damping: number,
): Float64Array {
  factor.set(normal);
  const step = Float64Array.from(slope);
  for (let i = 0, row = 0; i < P; row += ++i) {
    factor[row + i] = (factor[row + i] ?? 0) * (1 + damping);
    if (!held[i]) continue;
    for (let j = 0; j < i; j++) factor[row + j] = 0;
    for (let k = i + 1; k < P; k++) factor[(k * (k + 1)) / 2 + i] = 0;
    factor[row + i] = 1;
    step[i] = 0;
  }
  solveInPlace(factor, step);
  return step;
}

/** Cholesky solution in place: `matrix` (lower triangle, positive definite) is destroyed, `x` is the right side. */
export function solveInPlace(matrix: Float64Array, x: Float64Array): void {
  for (let i = 0, row = 0; i < P; row += ++i) {
    for (let j = 0, other = 0; j <= i; other += ++j) {
      let sum = matrix[row + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (matrix[row + k] ?? 0) * (matrix[other + k] ?? 0);
      matrix[row + j] = i === j ? sqrt(max(sum, Number.MIN_VALUE)) : sum / (matrix[other + j] ?? 1);
    }
    let sum = x[i] ?? 0;
    for (let k = 0; k < i; k++) sum -= (matrix[row + k] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (matrix[row + i] ?? 1);
  }
  for (let i = P - 1; i >= 0; i--) {
    let sum = x[i] ?? 0;
    for (let k = i + 1; k < P; k++) sum -= (matrix[(k * (k + 1)) / 2 + i] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (matrix[(i * (i + 3)) / 2] ?? 1);
  }
}

/** Decrease of the cost that the quadratic model promises; the cost is twice the half sum of squares. */
function promise(normal: Float64Array, slope: Float64Array, from: Float64Array, to: Float64Array): number {
  let decrease = 0;
  for (let i = 0, row = 0; i < P; row += ++i) {
    const d = (from[i] ?? 0) - (to[i] ?? 0);
    if (d === 0) continue;
    let sum = (normal[row + i] ?? 0) * d;
    for (let j = 0; j < i; j++) sum += 2 * (normal[row + j] ?? 0) * ((from[j] ?? 0) - (to[j] ?? 0));
    decrease += d * (2 * (slope[i] ?? 0) - sum);
  }
  return decrease;
}

/** Square roots of the diagonal of N⁻¹, and N⁻¹ scaled to correlations. */
export function inverseOf(normal: Float64Array): {
  readonly roots: Float64Array;
  readonly correlation: number[][];
} {
  const columns = Array.from({ length: P }, (_, j) => {
    const x = new Float64Array(P);
    x[j] = 1;
    solveInPlace(Float64Array.from(normal), x);
    return x;
  });
  const roots = Float64Array.from(columns, (column, j) => sqrt(abs(column[j] ?? 0)));
  const correlation = columns.map((column, i) =>
    Array.from(column, (value, j) => (i === j ? 1 : value / ((roots[i] ?? 1) * (roots[j] ?? 1)))),
  );
  return { roots, correlation };
}
