import { LeastSquaresError } from './error.js';

/** Moves parameters into their bounds, in place. */
export function clip(x: Float64Array, lower: Float64Array, upper: Float64Array): Float64Array {
  for (let j = 0; j < x.length; j++) {
    x[j] = Math.min(Math.max(x[j] ?? 0, lower[j] ?? -Infinity), upper[j] ?? Infinity);
  }
  return x;
}

/**
 * @throws LeastSquaresError when there are no parameters or residuals, or when bounds or the loss scale are not
 * valid.
 */
export function checkShape(
  n: number,
  rows: number,
  lower: Float64Array,
  upper: Float64Array,
  lossScale: number,
): void {
  if (n === 0 || rows === 0)
    throw new LeastSquaresError(
      'bad-shape',
      `a fit needs parameters and residuals: ${n} parameters, ${rows} residuals`,
    );
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
