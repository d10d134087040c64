import {
  dilationH,
  dilationW,
  extensionsOf,
  outputSize,
  paddingSizes,
  passOf,
  resultSize,
  strideH,
  strideW,
  type ConvSpec,
  type Pass,
} from '@alphaflops/conv';
import type { PrepareOptions, PrepareResult } from '@alphaflops/executor';
import { seededArray, type BufferOrder, type InputName, type OutputPoint } from '@alphaflops/measure';
import type * as tf from '@tensorflow/tfjs-core';

/** The only layout of all backends of TensorFlow.js. Both layouts of a spec run in it. */
export const BUFFER_ORDER: BufferOrder = { input: 'NHWC', weights: 'HWIO' };

type Pair = [before: number, after: number];

/** A convolution in TensorFlow.js, for any backend. */
export interface TfConv {
  /** The two tensors that the pass reads. The caller disposes them. */
  readonly tensors: readonly [tf.Tensor4D, tf.Tensor4D];
  /** Name of TensorFlow.js's kernel. */
  readonly operation: string;
  readonly run: () => tf.Tensor4D;
}

/** The kernels of TensorFlow.js for each pass. The forward pass uses its operations, which check and choose the kernel. */
const KERNELS: Record<Pass, { readonly dense: string; readonly depthwise: string }> = {
  forward: { dense: 'conv2d', depthwise: 'depthwiseConv2d' },
  'backward-data': { dense: 'Conv2DBackpropInput', depthwise: 'DepthwiseConv2dNativeBackpropInput' },
  'backward-weights': { dense: 'Conv2DBackpropFilter', depthwise: 'DepthwiseConv2dNativeBackpropFilter' },
};

/**
 * Why no backend of TensorFlow.js, or the given one, supports a spec; null for a supported spec.
 * @param executor its name: `tfjs-` and that of the backend
 * @param library the TensorFlow.js of the backend, which knows its kernels
 */
export function whyUnsupported(
  executor: string,
  library: typeof tf,
  spec: ConvSpec,
  { mode }: Pick<PrepareOptions, 'mode'>,
): string | null {
  if (spec.dtype !== 'f32') return `${executor} computes in f32 only, not in ${spec.dtype}`;
  if (mode !== 'hot') return `${executor} does not measure with cold caches`;
  if (spec.groups !== 1 && !isDepthwise(spec)) {
    return (
      `${executor} has no grouped convolution: groups must be 1, or equal to cin (depthwise); ` +
      `here groups is ${spec.groups} and cin ${spec.cin}`
    );
  }
  const [extension] = extensionsOf(spec);
  if (extension !== undefined && executor.startsWith('tfjs-node')) {
    return `${executor} has not been checked with ${extension}, and does not measure it`;
  }
  const isDilated = Math.max(dilationH(spec), dilationW(spec)) > 1;
  if (isDilated && Math.max(strideH(spec), strideW(spec)) > 1) {
    return `${executor} has no convolution with both strides and dilations above 1`;
  }
  const pass = passOf(spec);
  if (pass === 'forward') return null;
  const kernel = kernelOf(spec);
  if (isDilated && !isDepthwise(spec)) return `${executor} has no ${pass} of a dilated convolution`;
  const backend = executor.replace('tfjs-', '');
  return library.getKernelsForBackend(backend).some(({ kernelName }) => kernelName === kernel)
    ? null
    : `${executor} has no ${pass}: its backend lacks the kernel ${kernel}`;
}

/**
 * The tensors of a spec that is supported, filled. Throws V8's RangeError for an array that it cannot allocate.
 * @param library the TensorFlow.js of the backend, which may be another copy than ours
 */
export function allocateConv(library: typeof tf, spec: ConvSpec, seed: number): TfConv {
  const { batch, height, width, cin, cout, kernel_h, kernel_w } = spec;
  const output = outputSize(spec);
  const input: Shape = [batch, height, width, cin];
  // Each input channel of a group has cout / groups filters, so that both shapes have the same order of weights.
  const weights: Shape = isDepthwise(spec)
    ? [kernel_h, kernel_w, cin, cout / cin]
    : [kernel_h, kernel_w, cin, cout];
  const gradient: Shape = [batch, output.height, output.width, cout];
  const filled = (name: InputName, shape: Shape): tf.Tensor4D =>
    library.tensor4d(seededArray(name, seed, product(shape)), shape);
  // Frees the first tensor if the second does not fit.
  const both = (first: () => tf.Tensor4D, second: () => tf.Tensor4D): [tf.Tensor4D, tf.Tensor4D] =>
    library.tidy((): [tf.Tensor4D, tf.Tensor4D] => [first(), second()]);
  const operation = kernelOf(spec);
  const attributes = attributesOf(spec);
  switch (passOf(spec)) {
    case 'forward': {
      const [x, w] = both(
        () => filled('input', input),
        () => filled('weights', weights),
      );
      const { strides, pad, dilations } = attributes;
      const run = isDepthwise(spec)
        ? () => library.depthwiseConv2d(x, w, strides, pad, 'NHWC', dilations)
        : () => library.conv2d(x, w, strides, pad, 'NHWC', dilations);
      return { tensors: [x, w], operation, run };
    }
    case 'backward-data': {
      const [dy, filter] = both(
        () => filled('gradient', gradient),
        () => filled('weights', weights),
      );
      const all = { ...attributes, inputShape: input };
      return { tensors: [dy, filter], operation, run: kernelRun(library, operation, { dy, filter }, all) };
    }
    case 'backward-weights': {
      const [x, dy] = both(
        () => filled('input', input),
        () => filled('gradient', gradient),
      );
      const all = { ...attributes, filterShape: weights };
      return { tensors: [x, dy], operation, run: kernelRun(library, operation, { x, dy }, all) };
    }
  }
}

type Shape = [number, number, number, number];

function kernelOf(spec: ConvSpec): string {
  const { dense, depthwise } = KERNELS[passOf(spec)];
  return isDepthwise(spec) ? depthwise : dense;
}

function kernelRun(
  library: typeof tf,
  kernel: string,
  inputs: Record<string, tf.Tensor>,
  attributes: ReturnType<typeof attributesOf> & Record<string, unknown>,
): () => tf.Tensor4D {
  return () => {
    const output: tf.Tensor4D = library
      .engine()
      .runKernel(kernel, inputs, attributes as unknown as tf.NamedAttrMap);
    return output;
  };
}

/** The geometry for all kernels. */
function attributesOf(spec: ConvSpec) {
  const { top, bottom, left, right } = paddingSizes(spec);
  // In numbers, not by name: TensorFlow.js makes `same` negative where a kernel is smaller than the stride, and the
  // WASM backend then returns zeros without an error.
  const pad: [Pair, Pair, Pair, Pair] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const strides: Pair = [strideH(spec), strideW(spec)];
  const dilations: Pair = [dilationH(spec), dilationW(spec)];
  return { strides, pad, dilations, dataFormat: 'NHWC' as const };
}

/** Index of an element of the result in its buffer. */
export function outputIndex(spec: ConvSpec, { image, row, column, channel }: OutputPoint): number {
  const { images, height, width, channels } = resultSize(spec);
  // HWIO, in which a filter varies fastest.
  if (passOf(spec) === 'backward-weights')
    return ((row * width + column) * channels + channel) * images + image;
  return ((image * height + row) * width + column) * channels + channel;
}

/** @param why source of the information */
export function outOfMemory(neededBytes: number, why: string): PrepareResult {
  const mebibytes = Math.ceil(neededBytes / 2 ** 20);
  return { ok: false, outcome: 'out-of-memory', reason: `about ${mebibytes} MiB are needed, ${why}` };
}

function isDepthwise(spec: ConvSpec): boolean {
  return spec.groups === spec.cin && spec.groups > 1;
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}
