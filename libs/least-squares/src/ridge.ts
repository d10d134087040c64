import { checkShape, clip } from './bounds.js';
import { search, type Linearization, type SearchEnd } from './levenberg-marquardt.js';
import { softL1, softL1Weight } from './loss.js';
import { packedDiagonal, packedLength, solvePacked } from './packed.js';

const { max } = Math;

/** The residuals at some parameters, one row at a time. */
export interface RowResiduals {
  residual(row: number): number;
  /** Returns the residual of a row, and fills `gradient` with its derivatives with respect to the parameters. */
  linearized(row: number, gradient: Float64Array): number;
}

export interface RidgeProblem {
  /** The rows that are fitted. */
  readonly rows: Int32Array;
  /** Returns the residuals at `parameters`. The parameters must not change while the result is in use. */
  readonly residualsAt: (parameters: Float64Array) => RowResiduals;
  /** The start of the search (moved into the bounds), and the centre to which the ridge pulls the parameters. */
  readonly centre: Float64Array;
  /** Strength of the ridge: each parameter adds the residual ridge·(parameter − centre). */
  readonly ridge: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** The residual at which soft L1 changes from square to absolute. */
  readonly lossScale: number;
}

export interface RidgeOptions {
  readonly maxIterations: number;
  /** Relative decrease of the cost below which the search ends. */
  readonly tolerance: number;
}

export interface RidgeResult extends SearchEnd {
  readonly parameters: Float64Array;
  /** Sum of the losses of all rows and of the ridge. */
  readonly cost: number;
  /** JᵀWJ at the parameters, ridge included, as a packed matrix (see `packedLength`). */
  readonly normal: Float64Array;
}

/**
 * Bounded least squares under soft L1 with a ridge, for many rows and a few dozen parameters: the same search as
 * `leastSquares`, but on the normal equations, which the ridge keeps well conditioned. They need one pass over the
 * rows, and their memory does not depend on the number of rows. Damping is relative to the diagonal (Marquardt 1963).
 *
 * @param problem n parameters; one pass costs O(rows·n²) time and O(n²) memory
 * @throws LeastSquaresError when there are no rows or parameters, or sizes or bounds do not fit.
 */
export function ridgeLeastSquares(
  problem: RidgeProblem,
  { maxIterations, tolerance }: RidgeOptions,
): RidgeResult {
  const state = new NormalSearch(problem, tolerance);
  const end = search(state, maxIterations);
  state.linearize();
  const { parameters, cost, normal } = state;
  return { ...end, parameters, cost, normal };
}

class NormalSearch implements Linearization {
  parameters: Float64Array;
  cost = Infinity;
  readonly normal: Float64Array;
  private readonly slope: Float64Array;
  private readonly factor: Float64Array;
  private held: readonly boolean[] = [];
  private isLinearized = false;

  constructor(
    private readonly problem: RidgeProblem,
    private readonly tolerance: number,
  ) {
    const { centre, rows, lower, upper, lossScale } = problem;
    checkShape(centre.length, rows.length, lower, upper, lossScale);
    this.parameters = clip(Float64Array.from(centre), lower, upper);
    this.normal = new Float64Array(packedLength(centre.length));
    this.factor = new Float64Array(this.normal.length);
    this.slope = new Float64Array(centre.length);
  }

  linearize(): boolean {
    if (this.isLinearized) return true;
    const { rows, residualsAt, centre, ridge, lower, upper, lossScale } = this.problem;
    const { parameters, normal, slope } = this;
    const at = residualsAt(parameters);
    const gradient = new Float64Array(parameters.length);
    normal.fill(0);
    slope.fill(0);
    let cost = 0;
    for (const row of rows) {
      const residual = at.linearized(row, gradient);
      cost += softL1(residual, lossScale);
      addProduct(gradient, residual, softL1Weight(residual, lossScale), normal, slope);
    }
    for (let j = 0; j < parameters.length; j++) {
      const pull = ridge * ((parameters[j] ?? 0) - (centre[j] ?? 0));
      const weight = ridge * softL1Weight(pull, lossScale);
      cost += softL1(pull, lossScale);
      normal[packedDiagonal(j)] = (normal[packedDiagonal(j)] ?? 0) + weight * ridge;
      slope[j] = (slope[j] ?? 0) + weight * pull;
    }
    this.cost = cost;
    this.held = Array.from(
      parameters,
      (value, j) =>
        (value <= (lower[j] ?? 0) && (slope[j] ?? 0) >= 0) ||
        (value >= (upper[j] ?? 0) && (slope[j] ?? 0) <= 0),
    );
    this.isLinearized = true;
    return true;
  }

  /** Solves (N + damping·diag N)·d = slope for the free parameters. The step is −d. */
  damped(damping: number): Float64Array {
    const { normal, slope, factor, held, parameters } = this;
    const n = parameters.length;
    factor.set(normal);
    const step = Float64Array.from(slope);
    for (let i = 0, row = 0; i < n; row += ++i) {
      factor[row + i] = (factor[row + i] ?? 0) * (1 + damping);
      if (!held[i]) continue;
      for (let j = 0; j < i; j++) factor[row + j] = 0;
      for (let k = i + 1; k < n; k++) factor[packedLength(k) + i] = 0;
      factor[row + i] = 1;
      step[i] = 0;
    }
    solvePacked(factor, step);
    const target = parameters.map((value, j) => value - (step[j] ?? 0));
    return clip(target, this.problem.lower, this.problem.upper);
  }

  promised(target: Float64Array): number {
    const { parameters, normal, slope } = this;
    let decrease = 0;
    for (let i = 0, row = 0; i < parameters.length; row += ++i) {
      const d = (parameters[i] ?? 0) - (target[i] ?? 0);
      if (d === 0) continue;
      let sum = (normal[row + i] ?? 0) * d;
      for (let j = 0; j < i; j++)
        sum += 2 * (normal[row + j] ?? 0) * ((parameters[j] ?? 0) - (target[j] ?? 0));
      decrease += d * (2 * (slope[i] ?? 0) - sum);
    }
    return max(decrease / 2, Number.MIN_VALUE);
  }

  costAt(target: Float64Array): number {
    const { rows, residualsAt, centre, ridge, lossScale } = this.problem;
    const at = residualsAt(target);
    let cost = 0;
    for (const row of rows) cost += softL1(at.residual(row), lossScale);
    for (let j = 0; j < target.length; j++) {
      cost += softL1(ridge * ((target[j] ?? 0) - (centre[j] ?? 0)), lossScale);
    }
    return cost;
  }

  moveTo(target: Float64Array, cost: number): void {
    this.parameters = target;
    this.cost = cost;
    this.isLinearized = false;
  }

  isLast(_: Float64Array, cost: number): boolean {
    return this.cost - cost <= this.tolerance * this.cost;
  }

  isExhausted(_: number, promised: number): boolean {
    return promised <= this.tolerance * this.cost;
  }
}

/** Adds weight·ggᵀ and weight·residual·g; most elements of g are 0. */
function addProduct(
  gradient: Float64Array,
  residual: number,
  weight: number,
  normal: Float64Array,
  slope: Float64Array,
): void {
  for (let i = 0, row = 0; i < gradient.length; row += ++i) {
    const scaled = weight * (gradient[i] ?? 0);
    if (scaled === 0) continue;
    slope[i] = (slope[i] ?? 0) + scaled * residual;
    for (let j = 0; j <= i; j++) normal[row + j] = (normal[row + j] ?? 0) + scaled * (gradient[j] ?? 0);
  }
}
