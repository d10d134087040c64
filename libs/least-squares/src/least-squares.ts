import { cube } from '@alphaflops/elementary';
import { LeastSquaresError } from './error.js';
import { differenceJacobian, type ResidualFunction } from './jacobian.js';
import { dot, norm, qrInPlace, solveUpper, upperTriangle } from './linear-algebra.js';
import { linearise, residualVariance, totalCost, type Loss } from './loss.js';
import { uncertainty, type Uncertainty } from './uncertainty.js';

export interface LeastSquaresProblem {
  readonly residualCount: number;
  /** Where the search begins; moved inside the bounds when it is not. */
  readonly start: ArrayLike<number>;
  /** Fills `out` with the residuals. Values that are not finite make the step be refused. */
  readonly residuals: ResidualFunction;
  /** Fills `out`, column-major (∂rᵢ/∂pⱼ at `j * residualCount + i`); central differences when absent. */
  readonly jacobian?: ResidualFunction;
  /** −∞ when absent. Equal bounds fix a parameter. */
  readonly lower?: ArrayLike<number>;
  readonly upper?: ArrayLike<number>;
  readonly loss?: Loss;
  /** Residual at which a robust loss turns from square to absolute; default 1, unused by `linear`. */
  readonly lossScale?: number;
}

export interface LeastSquaresOptions {
  readonly maxIterations?: number;
  /** Relative change of every parameter at which the search ends; of the cost, its square. */
  readonly tolerance?: number;
  /** The search ends with `timed-out` at the first iteration where `now()` has reached `at` (same unit). */
  readonly deadline?: { readonly now: () => number; readonly at: number };
}

/**
 * How a search ended, with the best parameters so far in every case.
 * - `converged`: no further decrease within the tolerance, and the data determine every free parameter.
 * - `singular`: the same, but some parameters are undetermined (`states`): the cost is minimal, they are not unique.
 * - `max-iterations`, `timed-out`: stopped before that.
 */
export interface LeastSquaresResult extends Uncertainty {
  readonly reason: 'converged' | 'singular' | 'max-iterations' | 'timed-out';
  readonly parameters: Float64Array;
  /** Sum of the losses: half the sum of squares for `linear`. */
  readonly cost: number;
  readonly iterations: number;
}

export const LEAST_SQUARES_DEFAULTS = { maxIterations: 300, tolerance: 1e-8 } as const;

const INITIAL_DAMPING = 1e-3;
/** Damping beyond which a step is below the resolution of doubles. */
const MAX_DAMPING = 1e30;
/** A step is taken when it gains at least this share of what the linear model promised. */
const MIN_GAIN = 1e-4;

/**
 * Bounded, robust non-linear least squares: Levenberg–Marquardt with scaled damping (Moré 1978; damping rule of
 * Nielsen 1999), steps projected on the bounds, parameters pressed against a bound left out of the step. Finds a local
 * minimum: start it from several points when there may be more than one.
 *
 * @throws LeastSquaresError when sizes or bounds do not fit, or the residuals at the start are not finite.
 */
export function leastSquares(
  problem: LeastSquaresProblem,
  options: LeastSquaresOptions = {},
): LeastSquaresResult {
  const { maxIterations, tolerance, deadline } = { ...LEAST_SQUARES_DEFAULTS, ...options };
  const state = new Search(problem);
  let reason: LeastSquaresResult['reason'] = 'max-iterations';
  let iterations = 0;
  for (; iterations < maxIterations; iterations++) {
    if (deadline && deadline.now() >= deadline.at) {
      reason = 'timed-out';
      break;
    }
    if (!state.iterate(tolerance)) {
      reason = 'converged';
      break;
    }
  }
  const certainty = state.uncertainty();
  if (reason === 'converged' && certainty.states.includes('undetermined')) reason = 'singular';
  return { reason, parameters: state.x, cost: state.cost, iterations, ...certainty };
}

class Search {
  x: Float64Array;
  cost: number;
  private residuals: Float64Array;
  private readonly jacobian: Float64Array;
  private readonly lower: Float64Array;
  private readonly upper: Float64Array;
  /** Largest column norm of the Jacobian so far: makes the damping independent of the units of the parameters. */
  private readonly scale: Float64Array;
  private readonly loss: Loss;
  private readonly lossScale: number;
  private damping = INITIAL_DAMPING;
  private growth = 2;

  constructor(private readonly problem: LeastSquaresProblem) {
    const { start, residualCount: rows } = problem;
    const n = start.length;
    this.lower = Float64Array.from(problem.lower ?? new Float64Array(n).fill(-Infinity));
    this.upper = Float64Array.from(problem.upper ?? new Float64Array(n).fill(Infinity));
    this.loss = problem.loss ?? 'linear';
    this.lossScale = problem.lossScale ?? 1;
    checkShape(n, rows, this.lower, this.upper, this.lossScale);
    this.x = this.clip(Float64Array.from(start));
    this.residuals = new Float64Array(rows);
    this.jacobian = new Float64Array(rows * n);
    this.scale = new Float64Array(n);
    this.problem.residuals(this.x, this.residuals);
    this.cost = totalCost(this.residuals, this.loss, this.lossScale);
    if (!Number.isFinite(this.cost)) {
      throw new LeastSquaresError(
        'not-finite',
        `the residuals at the start (${this.x.join(', ')}) are not all finite`,
      );
    }
  }

  /** One Jacobian and the steps tried with it; false when no further decrease is to be had. */
  iterate(tolerance: number): boolean {
    const rows = this.residuals.length;
    const n = this.x.length;
    this.fillJacobian();
    const r = Float64Array.from(this.residuals);
    linearise(r, this.jacobian, n, this.loss, this.lossScale);
    const gradient = Float64Array.from({ length: n }, (_, j) => dot(this.jacobian, j * rows, r, 0, rows));
    const free = [...gradient.keys()].filter((j) => this.heldState(j, gradient[j] ?? 0) === null);
    const length = norm(r);
    const flattest = free.every((j) => {
      const column = norm(this.jacobian, j * rows, rows);
      return Math.abs(gradient[j] ?? 0) <= Number.EPSILON * column * length;
    });
    if (flattest) return false;
    for (const j of free) {
      this.scale[j] = Math.max(this.scale[j] ?? 0, norm(this.jacobian, j * rows, rows));
    }

    const padded = Math.max(rows, free.length);
    const a = new Float64Array(padded * free.length);
    free.forEach((j, k) => {
      a.set(this.jacobian.subarray(j * rows, (j + 1) * rows), k * padded);
    });
    const b = new Float64Array(padded);
    b.set(r);
    qrInPlace(a, padded, free.length, b);
    return this.step(free, upperTriangle(a, padded, free.length), b, gradient, tolerance);
  }

  /** Raises the damping until a step lowers the cost; false when the steps have become too small to matter. */
  private step(
    free: readonly number[],
    triangle: Float64Array,
    rotated: Float64Array,
    gradient: Float64Array,
    tolerance: number,
  ): boolean {
    const trial = new Float64Array(this.residuals.length);
    while (this.damping < MAX_DAMPING) {
      const direction = this.dampedStep(free, triangle, rotated);
      const target = Float64Array.from(this.x);
      free.forEach((j, k) => (target[j] = (target[j] ?? 0) - (direction[k] ?? 0)));
      this.clip(target);
      const moved = free.map((j) => (target[j] ?? 0) - (this.x[j] ?? 0));
      const promised = promisedDecrease(free, moved, triangle, gradient);
      const small = free.every(
        (j, k) => Math.abs(moved[k] ?? 0) <= Number.EPSILON * Math.abs(this.x[j] ?? 0),
      );
      if (small) return false;
      this.problem.residuals(target, trial);
      const cost = totalCost(trial, this.loss, this.lossScale);
      const gain = promised > 0 ? (this.cost - cost) / promised : -1;
      if (Number.isFinite(cost) && gain > MIN_GAIN) {
        const before = this.cost;
        const still = free.every(
          (j, k) => Math.abs(moved[k] ?? 0) <= tolerance * (Math.abs(this.x[j] ?? 0) + tolerance),
        );
        this.x = target;
        this.residuals = trial;
        this.cost = cost;
        this.damping *= Math.max(1 / 3, 1 - cube(2 * gain - 1));
        this.growth = 2;
        const settled = Math.max(before - cost, promised) <= tolerance * tolerance * before;
        return !(still || settled);
      }
      if (promised <= Number.EPSILON * this.cost && promised >= 0 && cost >= this.cost) return false;
      this.damping *= this.growth;
      this.growth *= 2;
    }
    return false;
  }

  /** Solves min ‖R·d − Qᵀr‖² + damping·‖D·d‖²; the step is −d. */
  private dampedStep(free: readonly number[], triangle: Float64Array, rotated: Float64Array): Float64Array {
    const n = free.length;
    const stacked = new Float64Array(2 * n * n);
    free.forEach((j, k) => {
      stacked.set(triangle.subarray(k * n, (k + 1) * n), k * 2 * n);
      stacked[k * 2 * n + n + k] = Math.sqrt(this.damping) * (this.scale[j] || 1);
    });
    const right = new Float64Array(2 * n);
    right.set(rotated.subarray(0, n));
    qrInPlace(stacked, 2 * n, n, right);
    return solveUpper(stacked, 2 * n, n, right);
  }

  uncertainty(): Uncertainty {
    const rows = this.residuals.length;
    this.fillJacobian();
    const weighted = Float64Array.from(this.jacobian);
    const r = Float64Array.from(this.residuals);
    linearise(r, weighted, this.x.length, this.loss, this.lossScale);
    const held = Array.from(this.x, (_, j) => this.heldState(j, dot(weighted, j * rows, r, 0, rows)));
    return uncertainty(this.jacobian, rows, held, (parameters) =>
      residualVariance(this.residuals, parameters, this.loss, this.lossScale),
    );
  }

  private fillJacobian(): void {
    if (this.problem.jacobian) this.problem.jacobian(this.x, this.jacobian);
    else {
      const { residuals } = this.problem;
      differenceJacobian(residuals, this.x, this.lower, this.upper, this.residuals, this.jacobian);
    }
  }

  /** Whether a parameter is held back: fixed by equal bounds, or on a bound with the descent pointing outside. */
  private heldState(j: number, gradient: number): 'on-bound' | 'fixed' | null {
    const [x, low, high] = [this.x[j] ?? 0, this.lower[j] ?? 0, this.upper[j] ?? 0];
    if (low === high) return 'fixed';
    return (x <= low && gradient >= 0) || (x >= high && gradient <= 0) ? 'on-bound' : null;
  }

  private clip(x: Float64Array): Float64Array {
    for (let j = 0; j < x.length; j++) {
      x[j] = Math.min(Math.max(x[j] ?? 0, this.lower[j] ?? -Infinity), this.upper[j] ?? Infinity);
    }
    return x;
  }
}

/** Decrease of ½‖r + J·s‖² over the step s. */
function promisedDecrease(
  free: readonly number[],
  moved: readonly number[],
  triangle: Float64Array,
  gradient: Float64Array,
): number {
  const n = free.length;
  let decrease = 0;
  free.forEach((j, k) => (decrease -= (gradient[j] ?? 0) * (moved[k] ?? 0)));
  for (let i = 0; i < n; i++) {
    let row = 0;
    for (let k = i; k < n; k++) row += (triangle[k * n + i] ?? 0) * (moved[k] ?? 0);
    decrease -= (row * row) / 2;
  }
  return decrease;
}

function checkShape(
  n: number,
  rows: number,
  lower: Float64Array,
  upper: Float64Array,
  lossScale: number,
): void {
  if (n === 0 || rows === 0)
    throw new LeastSquaresError('bad-shape', `${n} parameters and ${rows} residuals: nothing to fit`);
  if (lower.length !== n || upper.length !== n) {
    throw new LeastSquaresError(
      'bad-bounds',
      `${n} parameters but ${lower.length} lower and ${upper.length} upper bounds`,
    );
  }
  lower.forEach((low, j) => {
    if (!(low <= (upper[j] ?? NaN))) {
      throw new LeastSquaresError(
        'bad-bounds',
        `parameter ${j}: bounds ${low} … ${upper[j] ?? NaN} are empty`,
      );
    }
  });
  if (!(lossScale > 0))
    throw new LeastSquaresError('bad-bounds', `the loss scale must be positive, not ${lossScale}`);
}
