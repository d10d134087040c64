import { checkShape, clip } from './bounds.js';
import { LeastSquaresError } from './error.js';
import { differenceJacobian, type ResidualFunction } from './jacobian.js';
import { search, type Linearization } from './levenberg-marquardt.js';
import { dot, norm, qrInPlace, solveUpper, upperTriangle } from './linear-algebra.js';
import { linearise, residualVariance, totalCost, type Loss } from './loss.js';
import { uncertainty, type Uncertainty } from './uncertainty.js';

export interface LeastSquaresProblem {
  readonly residualCount: number;
  /** The start of the search. A start outside the bounds is moved into them. */
  readonly start: ArrayLike<number>;
  /** Fills `out` with the residuals. A step to values that are not finite is rejected. */
  readonly residuals: ResidualFunction;
  /** Fills `out`, column-major (∂rᵢ/∂pⱼ at `j * residualCount + i`); central differences when absent. */
  readonly jacobian?: ResidualFunction;
  /** Default: −∞. Equal bounds fix a parameter. */
  readonly lower?: ArrayLike<number>;
  readonly upper?: ArrayLike<number>;
  readonly loss?: Loss;
  /** The residual at which a robust loss changes from square to absolute. Default: 1. `linear` does not use it. */
  readonly lossScale?: number;
}

export interface LeastSquaresOptions {
  readonly maxIterations?: number;
  /**
   * The search ends at this relative change of every parameter, or at its square as the relative change of the cost.
   */
  readonly tolerance?: number;
}

/**
 * How a search ended, with the best parameters so far in every case.
 * - `converged`: no further decrease within the tolerance, and the data determine every free parameter.
 * - `singular`: the same, but some parameters are undetermined (`states`). The cost is minimal, but these parameters are
 *   not unique.
 * - `max-iterations`: stopped at the iteration limit.
 */
export interface LeastSquaresResult extends Uncertainty {
  readonly reason: 'converged' | 'singular' | 'max-iterations';
  readonly parameters: Float64Array;
  /** Sum of the losses: half the sum of squares for `linear`. */
  readonly cost: number;
  readonly iterations: number;
}

export const LEAST_SQUARES_DEFAULTS = { maxIterations: 300, tolerance: 1e-8 } as const;

/**
 * Bounded, robust non-linear least squares: Levenberg–Marquardt with scaled damping (Moré 1978; damping rule of
 * Nielsen 1999), with steps projected on the bounds. Parameters that the gradient pushes against a bound are
 * excluded from the step. It finds a local minimum: if there may be several minima, start it from several points.
 *
 * @param problem m residuals of n parameters; one pass costs O(m·n²) time and O(m·n) memory
 * @returns the best parameters found (length n), and their uncertainty by the covariance (JᵀJ)⁻¹·σ² at them
 * @throws LeastSquaresError when sizes or bounds do not fit, or the residuals at the start are not finite.
 */
export function leastSquares(
  problem: LeastSquaresProblem,
  options: LeastSquaresOptions = {},
): LeastSquaresResult {
  const { maxIterations, tolerance } = { ...LEAST_SQUARES_DEFAULTS, ...options };
  const state = new JacobianSearch(problem, tolerance);
  const { reason, iterations } = search(state, maxIterations);
  const certainty = state.uncertainty();
  const isSingular = reason === 'converged' && certainty.states.includes('undetermined');
  const { parameters, cost } = state;
  return { reason: isSingular ? 'singular' : reason, parameters, cost, iterations, ...certainty };
}

/** Steps from the QR factors of the Jacobian, which keep the digits that normal equations lose. */
class JacobianSearch implements Linearization {
  parameters: Float64Array;
  cost: number;
  private residuals: Float64Array;
  /** Residuals at the last target. */
  private trial: Float64Array;
  private readonly jacobian: Float64Array;
  private readonly lower: Float64Array;
  private readonly upper: Float64Array;
  /**
   * The largest column norm of the Jacobian so far. It makes the damping independent of the units of the parameters.
   */
  private readonly scale: Float64Array;
  private readonly loss: Loss;
  private readonly lossScale: number;
  /** The linear problem at the present parameters: the free parameters, the gradient for all parameters, R and Qᵀr. */
  private free: readonly number[] = [];
  private gradient: Float64Array = new Float64Array();
  private triangle: Float64Array = new Float64Array();
  private rotated: Float64Array = new Float64Array();

  constructor(
    private readonly problem: LeastSquaresProblem,
    private readonly tolerance: number,
  ) {
    const { start, residualCount: rows } = problem;
    const n = start.length;
    this.lower = Float64Array.from(problem.lower ?? new Float64Array(n).fill(-Infinity));
    this.upper = Float64Array.from(problem.upper ?? new Float64Array(n).fill(Infinity));
    this.loss = problem.loss ?? 'linear';
    this.lossScale = problem.lossScale ?? 1;
    checkShape(n, rows, this.lower, this.upper, this.lossScale);
    this.parameters = clip(Float64Array.from(start), this.lower, this.upper);
    this.residuals = new Float64Array(rows);
    this.trial = new Float64Array(rows);
    this.jacobian = new Float64Array(rows * n);
    this.scale = new Float64Array(n);
    this.problem.residuals(this.parameters, this.residuals);
    this.cost = totalCost(this.residuals, this.loss, this.lossScale);
    if (!Number.isFinite(this.cost)) {
      throw new LeastSquaresError(
        'not-finite',
        `the residuals at the start (${this.parameters.join(', ')}) are not all finite`,
      );
    }
  }

  linearize(): boolean {
    const rows = this.residuals.length;
    const n = this.parameters.length;
    this.fillJacobian();
    const r = Float64Array.from(this.residuals);
    linearise(r, this.jacobian, n, this.loss, this.lossScale);
    const gradient = Float64Array.from({ length: n }, (_, j) => dot(this.jacobian, j * rows, r, 0, rows));
    const free = [...gradient.keys()].filter((j) => this.heldState(j, gradient[j] ?? 0) === null);
    const length = norm(r);
    const isFlat = free.every((j) => {
      const column = norm(this.jacobian, j * rows, rows);
      return Math.abs(gradient[j] ?? 0) <= Number.EPSILON * column * length;
    });
    if (isFlat) return false;
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
    this.free = free;
    this.gradient = gradient;
    this.triangle = upperTriangle(a, padded, free.length);
    this.rotated = b;
    return true;
  }

  /** Solves min ‖R·d − Qᵀr‖² + damping·‖D·d‖²; the step is −d. */
  damped(damping: number): Float64Array {
    const n = this.free.length;
    const stacked = new Float64Array(2 * n * n);
    this.free.forEach((j, k) => {
      stacked.set(this.triangle.subarray(k * n, (k + 1) * n), k * 2 * n);
      stacked[k * 2 * n + n + k] = Math.sqrt(damping) * (this.scale[j] || 1);
    });
    const right = new Float64Array(2 * n);
    right.set(this.rotated.subarray(0, n));
    qrInPlace(stacked, 2 * n, n, right);
    const step = solveUpper(stacked, 2 * n, n, right);
    const target = Float64Array.from(this.parameters);
    this.free.forEach((j, k) => (target[j] = (target[j] ?? 0) - (step[k] ?? 0)));
    return clip(target, this.lower, this.upper);
  }

  /** Decrease of ½‖r + J·s‖² over the step s. */
  promised(target: Float64Array): number {
    const { free, triangle, gradient } = this;
    const n = free.length;
    const moved = free.map((j) => (target[j] ?? 0) - (this.parameters[j] ?? 0));
    let decrease = 0;
    free.forEach((j, k) => (decrease -= (gradient[j] ?? 0) * (moved[k] ?? 0)));
    for (let i = 0; i < n; i++) {
      let row = 0;
      for (let k = i; k < n; k++) row += (triangle[k * n + i] ?? 0) * (moved[k] ?? 0);
      decrease -= (row * row) / 2;
    }
    return decrease;
  }

  costAt(target: Float64Array): number {
    this.problem.residuals(target, this.trial);
    return totalCost(this.trial, this.loss, this.lossScale);
  }

  moveTo(target: Float64Array, cost: number): void {
    [this.residuals, this.trial] = [this.trial, this.residuals];
    this.parameters = target;
    this.cost = cost;
  }

  isLast(target: Float64Array, cost: number, promised: number): boolean {
    const { tolerance } = this;
    const isStill = this.parameters.every(
      (x, j) => Math.abs((target[j] ?? 0) - x) <= tolerance * (Math.abs(x) + tolerance),
    );
    return isStill || Math.max(this.cost - cost, promised) <= tolerance * tolerance * this.cost;
  }

  isExhausted(cost: number, promised: number): boolean {
    return promised <= Number.EPSILON * this.cost && promised >= 0 && cost >= this.cost;
  }

  uncertainty(): Uncertainty {
    const rows = this.residuals.length;
    this.fillJacobian();
    const weighted = Float64Array.from(this.jacobian);
    const r = Float64Array.from(this.residuals);
    linearise(r, weighted, this.parameters.length, this.loss, this.lossScale);
    const held = Array.from(this.parameters, (_, j) =>
      this.heldState(j, dot(weighted, j * rows, r, 0, rows)),
    );
    return uncertainty(this.jacobian, rows, held, (parameters) =>
      residualVariance(this.residuals, parameters, this.loss, this.lossScale),
    );
  }

  private fillJacobian(): void {
    if (this.problem.jacobian) this.problem.jacobian(this.parameters, this.jacobian);
    else {
      const { parameters, lower, upper, residuals } = this;
      differenceJacobian(this.problem.residuals, parameters, lower, upper, residuals, this.jacobian);
    }
  }

  /**
   * Whether a parameter cannot move: it is fixed by equal bounds, or it is on a bound and the descent points outside.
   */
  private heldState(j: number, gradient: number): 'on-bound' | 'fixed' | null {
    const [x, low, high] = [this.parameters[j] ?? 0, this.lower[j] ?? 0, this.upper[j] ?? 0];
    if (low === high) return 'fixed';
    return (x <= low && gradient >= 0) || (x >= high && gradient <= 0) ? 'on-bound' : null;
  }
}
