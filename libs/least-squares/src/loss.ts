import { cube, square } from '@alphaflops/elementary';

const { max, sqrt } = Math;

/**
 * How one residual r counts, with z = (r / scale)²: `linear` ½r²; `soft-l1` scale²·(√(1 + z) − 1); `huber` ½r² within
 * the scale, scale·|r| − ½scale² beyond it. Both robust losses are squares for |r| ≪ scale and absolute values
 * for |r| ≫ scale.
 */
export type Loss = 'linear' | 'soft-l1' | 'huber';

/** ρ(z), ρ′(z), ρ″(z) of z = (r / scale)²; the cost of a residual is ½·scale²·ρ. */
interface Rho {
  readonly value: number;
  readonly first: number;
  readonly second: number;
}

function rho(loss: Loss, z: number): Rho {
  switch (loss) {
    case 'linear':
      return { value: z, first: 1, second: 0 };
    case 'soft-l1': {
      const root = sqrt(1 + z);
      // 2·(√(1 + z) − 1) without cancellation for small z
      return { value: (2 * z) / (root + 1), first: 1 / root, second: -0.5 / (root * root * root) };
    }
    case 'huber': {
      if (z <= 1) return { value: z, first: 1, second: 0 };
      const root = sqrt(z);
      return { value: 2 * root - 1, first: 1 / root, second: -0.5 / cube(root) };
    }
  }
}

/** Sum of the losses of all residuals; not finite when a residual is not. */
export function totalCost(residuals: Float64Array, loss: Loss, scale: number): number {
  let sum = 0;
  if (loss === 'linear') {
    for (const r of residuals) sum += r * r;
    return sum / 2;
  }
  if (loss === 'soft-l1') {
    for (const r of residuals) {
      const z = square(r / scale);
      sum += (2 * z) / (sqrt(1 + z) + 1);
    }
  } else for (const r of residuals) sum += rho(loss, square(r / scale)).value;
  return (sum * scale * scale) / 2;
}

/** Share of the first-order weight kept where the loss is concave, so that the model stays convex. */
const CURVATURE_FLOOR = 0.1;

/**
 * Turns residuals and their Jacobian in place into those of the linear least-squares problem with the same
 * gradient and (nearly) the same curvature as the robust one (Triggs et al. 2000, "Bundle adjustment", §4.3).
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
    const { first, second } = rho(loss, z);
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
    const { first, second } = rho(loss, z);
    influence += square(r * first);
    slope += first + 2 * z * second;
  }
  if (slope <= 0) return null;
  return influence / degreesOfFreedom / square(slope / residuals.length);
}
