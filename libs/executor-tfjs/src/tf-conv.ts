import { extensionsOf, outputSize, paddingSizes, type ConvSpec } from '@alphaflops/conv';
import type { PrepareOptions, PrepareResult } from '@alphaflops/executor';
import { seededArray, type BufferOrder, type OutputPoint } from '@alphaflops/measure';
import type * as tf from '@tensorflow/tfjs-core';

/** TensorFlow.js has no other: both layouts of a spec are run in it. */
export const BUFFER_ORDER: BufferOrder = { input: 'NHWC', weights: 'HWIO' };

type Pair = [before: number, after: number];

/** A convolution as TensorFlow.js computes it, whatever the backend. */
export interface TfConv {
  /** Input and weights, to be disposed. */
  readonly tensors: readonly [tf.Tensor4D, tf.Tensor4D];
  readonly operation: 'conv2d' | 'depthwiseConv2d';
  readonly run: () => tf.Tensor4D;
}

/** What no backend of TensorFlow.js can do, in words; null for a spec that it can. */
export function whyUnsupported(
  executor: string,
  spec: ConvSpec,
  { mode }: Pick<PrepareOptions, 'mode'>,
): string | null {
  if (spec.dtype !== 'f32') return `${executor} computes in f32 only, not in ${spec.dtype}`;
  const [extension] = extensionsOf(spec);
  if (extension !== undefined) return `${executor} does not compute ${extension}`;
  if (mode !== 'hot') return `${executor} does not measure with cold caches`;
  if (spec.groups !== 1 && !isDepthwise(spec)) {
    return (
      `${executor} has no grouped convolution: groups must be 1, or equal to cin (depthwise); ` +
      `here groups is ${spec.groups} and cin ${spec.cin}`
    );
  }
  return null;
}

/**
 * The tensors of a spec that is supported, filled. Throws V8's RangeError for an array that it cannot allocate.
 * @param tf the TensorFlow.js of the backend, which may be another copy than ours
 */
export function allocateConv(
  { tidy, tensor4d, conv2d, depthwiseConv2d }: typeof tf,
  spec: ConvSpec,
  seed: number,
): TfConv {
  const { batch, height, width, cin, cout, kernel_h, kernel_w, stride } = spec;
  const { top, bottom, left, right } = paddingSizes(spec);
  // In numbers, not by name: TensorFlow.js makes `same` negative where a kernel is smaller than the stride, and the
  // WASM backend then returns zeros without an error.
  const padding: [Pair, Pair, Pair, Pair] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const depthwise = isDepthwise(spec);
  const inputShape: [number, number, number, number] = [batch, height, width, cin];
  // Of one group's input channel, each has cout / groups filters: the same order of weights in both shapes.
  const weightShape: [number, number, number, number] = depthwise
    ? [kernel_h, kernel_w, cin, cout / cin]
    : [kernel_h, kernel_w, cin, cout];
  // Frees the first tensor if there is no room for the second.
  const [x, w] = tidy((): [tf.Tensor4D, tf.Tensor4D] => [
    tensor4d(seededArray('input', seed, product(inputShape)), inputShape),
    tensor4d(seededArray('weights', seed, product(weightShape)), weightShape),
  ]);
  return {
    tensors: [x, w],
    operation: depthwise ? 'depthwiseConv2d' : 'conv2d',
    run: () => (depthwise ? depthwiseConv2d(x, w, stride, padding) : conv2d(x, w, stride, padding)),
  };
}

/** Where an element of the output is in its buffer. */
export function outputIndex(spec: ConvSpec, { image, row, column, channel }: OutputPoint): number {
  const { height, width } = outputSize(spec);
  return ((image * height + row) * width + column) * spec.cout + channel;
}

/** @param why what says so */
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
