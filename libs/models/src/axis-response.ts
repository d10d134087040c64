import type { Model } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { pow } from '@alphaflops/elementary';
import { ModelError } from './error.js';
import { compileModel } from './predict.js';

/** Axes along which a shape can vary: `size` is height and width together, `kernel` is both sides of the kernel. */
export const RESPONSE_AXES = ['size', 'cin', 'cout', 'kernel', 'batch', 'groups'] as const;
export type ResponseAxis = (typeof RESPONSE_AXES)[number];

export interface AxisPoint {
  readonly value: number;
  readonly timeMs: number;
  /** Time of the first point, times its growth in multiply-adds. */
  readonly linearMs: number;
  /** timeMs / linearMs: 1 at the first point, below 1 if a larger convolution costs less than in proportion to its FLOPs. */
  readonly alpha: number;
}

const POINTS = 24;
const DOMAIN_AXES = { size: 'height', cin: 'cin', cout: 'cout', kernel: 'kernel_h', batch: 'batch', groups: 'groups' } as const; // prettier-ignore

/**
 * α along one axis of a shape: T(x) / T_linear(x), by the readable form of the model if it has one. The values are given, in
 * ascending order, or span the axis from its smallest to its largest fitted value.
 *
 * @param values in elements
 * @returns points with times in milliseconds
 * @throws ModelError `bad-spec` when no value of the axis fits the shape.
 */
export function axisResponse(
  model: Model,
  spec: ConvSpec,
  axis: ResponseAxis,
  values: readonly number[] = fittedValues(model, axis),
): readonly AxisPoint[] {
  const readable = model.forms.some(({ form }) => form === 'alpha-axes') ? 'alpha-axes' : model.chosenForm;
  const predict = compileModel(model, readable);
  const varied = values
    .map((value) => ({ value, spec: along(spec, axis, value) }))
    .filter(({ spec: s }) => fits(s));
  const [first] = varied;
  if (!first) throw new ModelError('bad-spec', `the shape cannot be varied along ${axis}: no value fits it`);
  const start = predict(first.spec);
  return varied.map(({ value, spec: at }) => {
    const { predictedMs, macs } = predict(at);
    const linearMs = (start.predictedMs * macs) / start.macs;
    return { value, timeMs: predictedMs, linearMs, alpha: predictedMs / linearMs };
  });
}

/**
 * The shape with another value on one axis.
 *
 * @param value in elements; along `size` and `kernel` it is height and width
 */
export function along(spec: ConvSpec, axis: ResponseAxis, value: number): ConvSpec {
  if (axis === 'size') return { ...spec, height: value, width: value };
  if (axis === 'kernel') return { ...spec, kernel_h: value, kernel_w: value };
  return { ...spec, [axis]: value };
}

/**
 * Whether such a convolution exists: `groups` divides the channels, and without `same` padding the kernel fits into the input.
 */
export function fits({ cin, cout, groups, padding, height, width, kernel_h, kernel_w }: ConvSpec): boolean {
  if (cin % groups !== 0 || cout % groups !== 0) return false;
  return padding === 'same' || (kernel_h <= height && kernel_w <= width);
}

/**
 * Whole numbers over the fitted range, evenly spread over its logarithm.
 *
 * @returns at most 24 values in elements, ascending
 */
export function fittedValues(model: Model, axis: ResponseAxis): number[] {
  const { min, max } = model.domain[DOMAIN_AXES[axis]] ?? { min: 1, max: 1 };
  const steps = Array.from({ length: POINTS }, (_, k) => Math.round(min * pow(max / min, k / (POINTS - 1))));
  return [...new Set(steps)];
}
