import { square } from '@alphaflops/elementary';

const { max, sqrt } = Math;

/**
 * The loss of one residual r, with z = (r / scale)²: `linear` ½r²; `soft-l1` scale²·(√(1 + z) − 1), which is the square for
 * |r| ≪ scale and the absolute value for |r| ≫ scale.
 */
export type Loss = 'linear' | 'soft-l1';

/**
 * Soft L1 of one residual: scale²·(√(1 + (residual / scale)²) − 1), ½·residual² for small residuals.
 *
 * @param scale residual at which the loss changes from square to absolute, in the unit of the residual
 * @returns the loss, in that unit squared
 */
export function softL1(residual: number, scale: number): number {
  const z = square(residual / scale);
  // scale²·(√(1 + z) − 1) without cancellation for small z
  return (scale * scale * z) / (sqrt(1 + z) + 1);
}

/**
 * Returns the weight for the square of a residual that gives the gradient of {@link softL1}.
 *
 * @returns a share from 0 to 1
 */
export const softL1Weight = (residual: number, scale: number): number =>
  1 / sqrt(1 + square(residual / scale));

/** ρ′(z) and ρ″(z) of z = (r / scale)²; the cost of a residual is ½·scale²·ρ. */
interface Slopes {
  readonly first: number;
  readonly second: number;
}

function slopesAt(loss: Loss, z: number): Slopes {
  if (loss === 'linear') return { first: 1, second: 0 };
  const root = sqrt(1 + z);
  return { first: 1 / root, second: -0.5 / (root * root * root) };
}

/** Sum of the losses of all residuals; not finite when a residual is not. */
export function totalCost(residuals: Float64Array, loss: Loss, scale: number): number {
  let sum = 0;
  if (loss === 'linear') {
    for (const r of residuals) sum += r * r;
    return sum / 2;
  }
  for (const r of residuals) {
    const z = square(r / scale);
    sum += (2 * z) / (sqrt(1 + z) + 1);
  }
  return (sum * scale * scale) / 2;
}

/** Minimum share of the first-order weight where the loss is concave, so that the model stays convex. */
const CURVATURE_FLOOR = 0.1;

/**
 * Converts residuals and their Jacobian in place to a linear least-squares problem with the same gradient and nearly
 * the same curvature as the robust problem (Triggs et al. 2000, "Bundle adjustment", §4.3).
 */
export function linearise(
  residuals: Float64Array,
  jacobian: Float64Array,
  columns: number,
  loss: Loss,
  scale: number,
): void {
  if (loss === 'linear') return;
  const rows = residuals.length;
  for (let i = 0; i < rows; i++) {
    const r = residuals[i] ?? 0;
    const z = square(r / scale);
    const { first, second } = slopesAt(loss, z);
    const weight = sqrt(max(first + 2 * z * second, CURVATURE_FLOOR * first));
    residuals[i] = (r * first) / weight;
    for (let j = 0; j < columns; j++) jacobian[j * rows + i] = (jacobian[j * rows + i] ?? 0) * weight;
  }
}

/**
 * Estimated variance of one residual for the covariance of an M-estimator (Huber 1981, §7.6):
 * [Σψ² / (m − p)] / [mean ψ′]², with ψ the derivative of the loss. For `linear` it is Σr² / (m − p).
 * Null without degrees of freedom.
 */
export function residualVariance(
  residuals: Float64Array,
  freeParameters: number,
  loss: Loss,
  scale: number,
): number | null {
  const degreesOfFreedom = residuals.length - freeParameters;
  if (degreesOfFreedom <= 0) return null;
  let influence = 0;
  let slope = 0;
  for (const r of residuals) {
    const z = square(r / scale);
    const { first, second } = slopesAt(loss, z);
    influence += square(r * first);
    slope += first + 2 * z * second;
  }
  if (slope <= 0) return null;
  return influence / degreesOfFreedom / square(slope / residuals.length);
}
