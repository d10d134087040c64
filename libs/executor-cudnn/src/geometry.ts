import { BYTES_PER_ELEMENT, bytes, outputSize, type ConvSpec } from '@alphaflops/conv';
import type { BufferOrder } from '@alphaflops/measure';
import type { TensorShape } from './cudnn.js';

/**
 * A convolution as cuDNN takes it. cuDNN pads the same on both sides. Of TensorFlow's `same` padding the larger half
 * comes last; what it has more at the end than at the beginning is `more`, and has to be in the input.
 */
export interface Geometry {
  readonly spec: ConvSpec;
  readonly bufferOrder: BufferOrder;
  /** Rows and columns of zeros that cuDNN adds on each side. */
  readonly padH: number;
  readonly padW: number;
  /** Rows and columns of zeros that the input needs at its end, 0 or 1 each. */
  readonly moreH: number;
  readonly moreW: number;
  /** The input of the spec, as it lies in a buffer of its own. */
  readonly input: TensorShape;
  /** The input with `more`; the same as `input` when there is none. */
  readonly paddedInput: TensorShape;
  /** Where `input` lies inside a buffer of `paddedInput`. */
  readonly inputInPadded: TensorShape;
  /** Outputs, inputs of one group, height, width. */
  readonly weightSize: TensorShape['size'];
  readonly outputSize: TensorShape['size'];
  readonly bytes: {
    readonly input: number;
    readonly paddedInput: number;
    readonly weights: number;
    readonly output: number;
  };
}

export function geometryOf(spec: ConvSpec): Geometry {
  const { batch, height, width, cin, cout, kernel_h, kernel_w, groups, layout, dtype } = spec;
  const output = outputSize(spec);
  const [padH, moreH] = paddingOf(spec, height, output.height, kernel_h);
  const [padW, moreW] = paddingOf(spec, width, output.width, kernel_w);
  const inputSize = [batch, cin, height, width] as const;
  const paddedSize = [batch, cin, height + moreH, width + moreW] as const;
  const paddedStride = stridesOf(layout, paddedSize);
  const { input, weights, output: outputBytes } = bytes(spec);
  return {
    spec,
    bufferOrder: { input: layout, weights: layout === 'NCHW' ? 'OIHW' : 'OHWI' },
    padH,
    padW,
    moreH,
    moreW,
    input: { dtype, size: inputSize, stride: stridesOf(layout, inputSize) },
    paddedInput: { dtype, size: paddedSize, stride: paddedStride },
    inputInPadded: { dtype, size: inputSize, stride: paddedStride },
    weightSize: [cout, cin / groups, kernel_h, kernel_w],
    outputSize: [batch, cout, output.height, output.width],
    bytes: {
      input,
      paddedInput: BYTES_PER_ELEMENT[dtype] * batch * cin * (height + moreH) * (width + moreW),
      weights,
      output: outputBytes,
    },
  };
}

export function isPadded({ moreH, moreW }: Geometry): boolean {
  return moreH > 0 || moreW > 0;
}

/** Device memory that the convolution needs besides its workspace. */
export function neededBytes(geometry: Geometry): number {
  const { input, paddedInput, weights, output } = geometry.bytes;
  return input + (isPadded(geometry) ? paddedInput : 0) + weights + output;
}

function paddingOf(
  spec: ConvSpec,
  input: number,
  output: number,
  kernel: number,
): [before: number, more: number] {
  if (spec.padding === 'valid') return [0, 0];
  const total = Math.max(0, (output - 1) * spec.stride + kernel - input);
  return [Math.floor(total / 2), total % 2];
}

function stridesOf(layout: ConvSpec['layout'], [, c, h, w]: TensorShape['size']): TensorShape['stride'] {
  return layout === 'NCHW' ? [c * h * w, h * w, w, 1] : [h * w * c, 1, w * c, c];
}
