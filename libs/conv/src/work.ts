import {
  dilationH,
  dilationW,
  passOf,
  strideH,
  strideW,
  type ConvSpec,
  type Dtype,
  type Padding,
} from './conv-spec.js';

/** Bytes of one element. */
export const BYTES_PER_ELEMENT = { f32: 4, f16: 2, bf16: 2 } as const satisfies Record<Dtype, number>;

/** Output height and width in elements. */
export interface OutputSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Returns the extent of a kernel on the input along one axis, including gaps.
 *
 * @param kernel kernel points along the axis
 * @param dilation distance of neighbouring kernel points, 1 for a dense kernel
 * @returns elements of the input
 */
export function kernelExtent(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/**
 * Output size of the forward pass along both axes: `same` gives ⌈input / stride⌉, `valid` ⌈(input − extent + 1) /
 * stride⌉, where the extent of a kernel is dilation·(kernel − 1) + 1, and explicit padding gives the same with the
 * pads added to the input. If a kernel is larger than its padded input, there is no output and the size of that axis
 * is 0.
 *
 * @returns height and width in elements; 0 if the convolution has no output
 */
export function outputSize(spec: ConvSpec): OutputSize {
  return { height: outputHeight(spec), width: outputWidth(spec) };
}

function outputHeight(spec: ConvSpec): number {
  const { padding, height } = spec;
  const padded = padding === 'explicit' ? height + (spec.pad_top ?? 0) + (spec.pad_bottom ?? 0) : height;
  return outputAlong(padding, padded, kernelExtent(spec.kernel_h, dilationH(spec)), strideH(spec));
}

function outputWidth(spec: ConvSpec): number {
  const { padding, width } = spec;
  const padded = padding === 'explicit' ? width + (spec.pad_left ?? 0) + (spec.pad_right ?? 0) : width;
  return outputAlong(padding, padded, kernelExtent(spec.kernel_w, dilationW(spec)), strideW(spec));
}

function outputAlong(padding: Padding, padded: number, extent: number, stride: number): number {
  return padding === 'same'
    ? Math.ceil(padded / stride)
    : Math.max(0, Math.ceil((padded - extent + 1) / stride));
}

/** Zero rows and columns around the input. */
export interface PaddingSizes {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Returns the padding in elements: none for `valid`; for `same` the padding of TensorFlow, which puts the larger half
 * of an odd number last. It is never negative: with a kernel that is smaller than the stride, the last rows or
 * columns of the input are not read.
 */
export function paddingSizes(spec: ConvSpec): PaddingSizes {
  if (spec.padding === 'explicit') {
    const { pad_top: top = 0, pad_bottom: bottom = 0, pad_left: left = 0, pad_right: right = 0 } = spec;
    return { top, bottom, left, right };
  }
  if (spec.padding === 'valid') return { top: 0, bottom: 0, left: 0, right: 0 };
  const height = (outputHeight(spec) - 1) * strideH(spec) + kernelExtent(spec.kernel_h, dilationH(spec));
  const width = (outputWidth(spec) - 1) * strideW(spec) + kernelExtent(spec.kernel_w, dilationW(spec));
  const rows = Math.max(0, height - spec.height);
  const columns = Math.max(0, width - spec.width);
  const [top, left] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  return { top, bottom: rows - top, left, right: columns - left };
}

/** Sizes of a tensor with four axes. For weights, the filters are the `images`, the axis that varies slowest. */
export interface TensorSize {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * The tensor that the pass computes: the output, the gradient of the input, or the gradient of the weights.
 *
 * @returns sizes in elements
 */
export function resultSize(spec: ConvSpec): TensorSize {
  switch (passOf(spec)) {
    case 'forward':
      return { images: spec.batch, ...outputSize(spec), channels: spec.cout };
    case 'backward-data':
      return { images: spec.batch, height: spec.height, width: spec.width, channels: spec.cin };
    case 'backward-weights':
      return {
        ...{ images: spec.cout, height: spec.kernel_h, width: spec.kernel_w },
        channels: spec.cin / spec.groups,
      };
  }
}

/** S of the paper with a batch: number of output points of the forward pass, batch·Hout·Wout. */
export function outputPoints(spec: ConvSpec): number {
  const { height, width } = outputSize(spec);
  return spec.batch * height * width;
}

/** K of the paper: number of kernel points, kernel_h·kernel_w. */
export function kernelPoints(spec: ConvSpec): number {
  return spec.kernel_h * spec.kernel_w;
}

/**
 * Multiply-adds of one direct convolution, S·K·(cin / groups)·cout, the same for all three passes: each product of an
 * output point and a kernel point occurs once in every pass. Taps on padding count, as in the paper (which calls this
 * number "FLOPs").
 *
 * @returns a count, 0 for a convolution without output
 */
export function macs(spec: ConvSpec): number {
  return outputPoints(spec) * kernelPoints(spec) * (spec.cin / spec.groups) * spec.cout;
}

/** Floating-point operations: a multiply-add counts as two. */
export function flops(spec: ConvSpec): number {
  return 2 * macs(spec);
}

/** Size in bytes of the three tensors of a convolution. Each pass reads two of them and writes the third. */
export interface ConvBytes {
  readonly input: number;
  readonly weights: number;
  readonly output: number;
  /** The bytes when each tensor is moved once. */
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

/**
 * FLOPs per byte when every tensor is moved once: the horizontal axis of a roofline.
 *
 * @returns FLOPs per byte
 */
export function arithmeticIntensity(spec: ConvSpec): number {
  return flops(spec) / bytes(spec).total;
}
