import type { ConvSpec, Dtype } from './conv-spec.js';

/** Bytes of one element. */
export const BYTES_PER_ELEMENT = { f32: 4, f16: 2, bf16: 2 } as const satisfies Record<Dtype, number>;

/** Output height and width in elements. */
export interface OutputSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Output size along both axes: `same` gives ⌈input / stride⌉, `valid` gives ⌈(input − kernel + 1) / stride⌉.
 * A `valid` kernel that is larger than its input has no output: that axis is 0.
 */
export function outputSize(spec: ConvSpec): OutputSize {
  return { height: along(spec, spec.height, spec.kernel_h), width: along(spec, spec.width, spec.kernel_w) };
}

function along({ padding, stride }: ConvSpec, input: number, kernel: number): number {
  return padding === 'same'
    ? Math.ceil(input / stride)
    : Math.max(0, Math.ceil((input - kernel + 1) / stride));
}

/** Rows and columns of zeros around the input. */
export interface PaddingSizes {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Padding in elements: none for `valid`; for `same` TensorFlow's, which puts the larger half of an odd number last. It is
 * never negative: a kernel that is smaller than the stride leaves the last rows or columns of the input unread.
 */
export function paddingSizes(spec: ConvSpec): PaddingSizes {
  const { height, width } = outputSize(spec);
  const rows = paddingAlong(spec, spec.height, height, spec.kernel_h);
  const columns = paddingAlong(spec, spec.width, width, spec.kernel_w);
  return { top: rows.before, bottom: rows.after, left: columns.before, right: columns.after };
}

function paddingAlong({ padding, stride }: ConvSpec, input: number, output: number, kernel: number) {
  const total = padding === 'valid' ? 0 : Math.max(0, (output - 1) * stride + kernel - input);
  const before = Math.floor(total / 2);
  return { before, after: total - before };
}

/** S of the paper with a batch: number of output points, batch·Hout·Wout. */
export function outputPoints(spec: ConvSpec): number {
  const { height, width } = outputSize(spec);
  return spec.batch * height * width;
}

/** K of the paper: number of kernel points, kernel_h·kernel_w. */
export function kernelPoints(spec: ConvSpec): number {
  return spec.kernel_h * spec.kernel_w;
}

/**
 * Multiply-adds of one direct convolution, S·K·(cin / groups)·cout. Taps that fall on padding count, as they do in
 * the paper (which calls this number "FLOPs").
 */
export function macs(spec: ConvSpec): number {
  return outputPoints(spec) * kernelPoints(spec) * (spec.cin / spec.groups) * spec.cout;
}

/** Floating-point operations: a multiply-add counts as two. */
export function flops(spec: ConvSpec): number {
  return 2 * macs(spec);
}

/** Size in bytes of the three tensors of a convolution. */
export interface ConvBytes {
  readonly input: number;
  readonly weights: number;
  readonly output: number;
  /** Each tensor moved once. */
  readonly total: number;
}

/** Bytes of input, weights and output in the dtype of the spec. */
export function bytes(spec: ConvSpec): ConvBytes {
  const size = BYTES_PER_ELEMENT[spec.dtype];
  const input = size * spec.batch * spec.height * spec.width * spec.cin;
  const weights = size * kernelPoints(spec) * (spec.cin / spec.groups) * spec.cout;
  const output = size * outputPoints(spec) * spec.cout;
  return { input, weights, output, total: input + weights + output };
}

/** FLOPs per byte when every tensor is moved once: the horizontal axis of a roofline. */
export function arithmeticIntensity(spec: ConvSpec): number {
  return flops(spec) / bytes(spec).total;
}
