import type * as tf from '@tensorflow/tfjs-core';

const SMALLEST_MS = 1e-3;
const EAGER_RUNS = 5;

/**
 * Time in milliseconds that `count` convolutions add: the difference between a batch with this number and one with twice as
 * many. The constant cost of a batch (start, wait, read-back) is in both, so that it cancels.
 */
export function slopeMs(batchMs: (count: number) => number, count: number): number {
  const once = batchMs(count);
  return Math.max(batchMs(2 * count) - once, SMALLEST_MS);
}

/** The median of some single convolutions, with a wait for each. */
export function eagerMs(batchMs: (count: number) => number): number {
  const timesMs = Array.from({ length: EAGER_RUNS }, () => batchMs(1)).sort((a, b) => a - b);
  return timesMs[(EAGER_RUNS - 1) / 2] ?? NaN;
}

/**
 * Runs `count` convolutions and waits for the last one by reading one element of its result. In TensorFlow.js, a read is the
 * only way to wait, and one element keeps it short. The device works in order, so that the others are complete too.
 */
export function runAndWait({ slice }: typeof tf, run: () => tf.Tensor4D, count: number): void {
  for (let i = 1; i < count; i++) run().dispose();
  const last = run();
  const element = slice(last, [0, 0, 0, 0], [1, 1, 1, 1]);
  element.dataSync();
  element.dispose();
  last.dispose();
}
