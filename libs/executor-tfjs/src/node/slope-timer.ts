import type * as tf from '@tensorflow/tfjs-core';

const SMALLEST_MS = 1e-3;
const EAGER_RUNS = 5;

/**
 * Milliseconds that `count` convolutions add: the difference between a batch of that many and one of twice as many.
 * What a batch costs besides, starting, waiting and reading back, is in both and drops out.
 */
export function slopeMs(batchMs: (count: number) => number, count: number): number {
  const once = batchMs(count);
  return Math.max(batchMs(2 * count) - once, SMALLEST_MS);
}

/** The median of some single convolutions, each waited for. */
export function eagerMs(batchMs: (count: number) => number): number {
  const timesMs = Array.from({ length: EAGER_RUNS }, () => batchMs(1)).sort((a, b) => a - b);
  return timesMs[(EAGER_RUNS - 1) / 2] ?? NaN;
}

/**
 * Runs `count` convolutions and waits for the last by reading one element of it. Reading is the only way to wait that
 * TensorFlow.js has, and one element keeps it short; the device works in order, so that the others are done too.
 */
export function runAndWait({ slice }: typeof tf, run: () => tf.Tensor4D, count: number): void {
  for (let i = 1; i < count; i++) run().dispose();
  const last = run();
  const element = slice(last, [0, 0, 0, 0], [1, 1, 1, 1]);
  element.dataSync();
  element.dispose();
  last.dispose();
}
