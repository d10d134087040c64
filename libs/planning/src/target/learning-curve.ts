import { exp, log, square } from '@alphaflops/elementary';

/** One measured point of a learning curve; errors are shares. */
export interface CurvePoint {
  readonly shapes: number;
  readonly medianApe: number;
  readonly standardError: number;
}

/** A curve e(n) = floor + scale · n^−exponent, and how well it agrees with the points (probability, unnormalised). */
interface Curve {
  readonly floor: number;
  readonly scale: number;
  readonly exponent: number;
  readonly weight: number;
}

/** Numbers of shapes; null if the curve never reaches the error. */
export interface ShapesForError {
  readonly median: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Prior distribution of exponents and floors: the values on the grid, and the mean and deviation of a normal distribution. They
 * come from the learning curves of an H100 up to 11,000 shapes (docs/benchmarks.md).
 */
const EXPONENTS = { mean: 0.35, deviation: 0.06, from: 0.04, to: 0.8, steps: 39 };
const FLOORS = { mean: 0.025, deviation: 0.02, from: 0, to: 0.08, steps: 9 };
/** Least relative error of a point: neighbouring points have mostly the same samples, and the power law is not exact. */
const MIN_RELATIVE_ERROR = 0.05;
/** Points whose numbers of shapes differ by less than about this share together count as one point. */
const CORRELATION_SHARE = 0.5;

/**
 * How the held-out error falls with the number of measured shapes: a power law with a floor (Hestness et al. 2017,
 * arXiv 1712.00409; Rosenfeld et al. 2020, arXiv 1909.12673). A few noisy points do not determine three numbers. So all curves
 * of a grid are used, each with a weight: how well it agrees with the points, times the prior of its exponent.
 */
export class LearningCurve {
  private readonly curves: readonly Curve[];

  /**
   * @param points of one form, at least one, errors above 0
   * @param noiseFloor error of a perfect model on noisy measurements; no curve falls below it
   */
  constructor(points: readonly CurvePoint[], noiseFloor: number) {
    const curves = triedOf(FLOORS).flatMap((floor) =>
      triedOf(EXPONENTS).map((exponent) => {
        const curve = fitted(points, Math.max(noiseFloor, floor), exponent);
        const prior = deviance(floor, FLOORS) + deviance(exponent, EXPONENTS);
        return { ...curve, weight: curve.weight - prior / 2 };
      }),
    );
    const best = Math.max(...curves.map(({ weight }) => weight));
    this.curves = curves.map((curve) => ({ ...curve, weight: exp(curve.weight - best) }));
  }

  /** Expected error with this number of shapes. */
  errorAt(shapes: number): number {
    const at = this.curves.map((curve) => ({
      value: curve.floor + curve.scale * power(shapes, -curve.exponent),
      weight: curve.weight,
    }));
    return weightedQuantile(at, 0.5) ?? NaN;
  }

  /** Number of shapes at which the curve reaches an error: the median, and the range of the middle 60 % of the curves. */
  shapesFor(error: number): ShapesForError {
    const at = this.curves.map(({ floor, scale, exponent, weight }) => ({
      value: error <= floor ? Infinity : power(scale / (error - floor), 1 / exponent),
      weight,
    }));
    return {
      median: weightedQuantile(at, 0.5),
      low: weightedQuantile(at, 0.2),
      high: weightedQuantile(at, 0.8),
    };
  }
}

interface Prior {
  readonly mean: number;
  readonly deviation: number;
  readonly from: number;
  readonly to: number;
  readonly steps: number;
}

/** The values on the grid, evenly spaced. */
function triedOf({ from, to, steps }: Prior): number[] {
  return Array.from({ length: steps }, (_, i) => from + ((to - from) * i) / (steps - 1));
}

/** −2 times the log of the prior probability, without a constant. */
function deviance(value: number, { mean, deviation }: Prior): number {
  return square((value - mean) / deviation);
}

/** The best scale for a floor and an exponent, by weighted least squares on log errors with Newton's method. `weight` is a logarithm. */
function fitted(points: readonly CurvePoint[], floor: number, exponent: number): Curve {
  const rows = points.map((point) => {
    const share = Math.max(MIN_RELATIVE_ERROR, point.standardError / point.medianApe);
    const near = points.filter(
      ({ shapes }) => Math.abs(log(shapes / point.shapes)) < CORRELATION_SHARE,
    ).length;
    return {
      fall: power(point.shapes, -exponent),
      logError: log(point.medianApe),
      precision: 1 / (share * share * near),
    };
  });
  let logScale = mean(rows, ({ logError, fall }) =>
    log(Math.max(exp(logError) - floor, 1e-3 * exp(logError)) / fall),
  );
  for (let step = 0; step < 20; step += 1) {
    let [slope, curvature] = [0, 0];
    for (const { fall, logError, precision } of rows) {
      const falling = exp(logScale) * fall;
      const derivative = falling / (floor + falling);
      slope += precision * derivative * (logError - log(floor + falling));
      curvature += precision * derivative * derivative;
    }
    const change = Math.max(-1, Math.min(1, slope / curvature));
    logScale += change;
    if (Math.abs(change) < 1e-9) break;
  }
  const scale = exp(logScale);
  const squares = rows.reduce(
    (sum, { fall, logError, precision }) => sum + precision * square(logError - log(floor + scale * fall)),
    0,
  );
  return { floor, scale, exponent, weight: -squares / 2 };
}

function mean<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0) / items.length;
}

function power(base: number, exponent: number): number {
  return exp(exponent * log(base));
}

/** Null if the value at this share of the weight is not finite. */
function weightedQuantile(
  items: readonly { readonly value: number; readonly weight: number }[],
  share: number,
): number | null {
  const sorted = items.toSorted((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  for (const { value, weight } of sorted) {
    sum += weight;
    if (sum >= share * total) return Number.isFinite(value) ? value : null;
  }
  return null;
}
