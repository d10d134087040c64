import { cbrt } from '@alphaflops/elementary';

/** Fills `out` with the residuals at `parameters`. */
export type ResidualFunction = (parameters: Float64Array, out: Float64Array) => void;

const RELATIVE_STEP = cbrt(Number.EPSILON);

/**
 * Computes the column-major Jacobian by central differences, with steps of ∛ε·|x|. Next to a bound, it uses the
 * three-point one-sided formula of the same order, so that the function is never called outside its bounds.
 */
export function differenceJacobian(
  residuals: ResidualFunction,
  parameters: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
  atParameters: Float64Array,
  out: Float64Array,
): void {
  const rows = atParameters.length;
  const x = Float64Array.from(parameters);
  const near = new Float64Array(rows);
  const far = new Float64Array(rows);
  for (let j = 0; j < x.length; j++) {
    const at = parameters[j] ?? 0;
    const low = lower[j] ?? -Infinity;
    const high = upper[j] ?? Infinity;
    const evaluate = (value: number, target: Float64Array): number => {
      x[j] = value;
      residuals(x, target);
      return value - at;
    };
    const step = RELATIVE_STEP * (at === 0 ? 1 : Math.abs(at));
    if (low === high) {
      out.fill(0, j * rows, (j + 1) * rows);
    } else if (at - step >= low && at + step <= high) {
      const forward = evaluate(at + step, far);
      const backward = evaluate(at - step, near);
      for (let i = 0; i < rows; i++)
        out[j * rows + i] = ((far[i] ?? 0) - (near[i] ?? 0)) / (forward - backward);
    } else {
      const inward = high - at > at - low ? 1 : -1;
      const room = Math.min(2 * step, inward > 0 ? high - at : at - low);
      const half = evaluate(at + (inward * room) / 2, near);
      const full = evaluate(at + inward * room, far);
      // derivative at 0 of the parabola through (0, f₀), (half, f₁), (full, f₂)
      for (let i = 0; i < rows; i++) {
        const base = atParameters[i] ?? 0;
        const slopeHalf = ((near[i] ?? 0) - base) / half;
        const slopeFull = ((far[i] ?? 0) - base) / full;
        out[j * rows + i] = (slopeHalf * full - slopeFull * half) / (full - half);
      }
    }
    x[j] = at;
  }
}
