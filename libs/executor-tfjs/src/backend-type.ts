import type * as tf from '@tensorflow/tfjs-core';

export const BACKENDS = ['wasm', 'cpu', 'node'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** A TensorFlow.js backend that is active in this process, and done when its calls return or a tensor is read. */
export interface Backend {
  readonly name: BackendName | 'node-gpu';
  /** The TensorFlow.js that this backend belongs to: that of tfjs-node may be another copy than ours. */
  readonly tf: typeof tf;
  /** Names and versions of what computes, and how it was built. */
  readonly libraries: Readonly<Record<string, string>>;
  /** Whether these blocks of memory can be had at the same time. Nothing stays allocated. */
  canAllocate(blocksBytes: readonly number[]): boolean;
  /** Throws when the tensor was created without memory: the library does not notice, and has overwritten its heap. */
  assertAllocated(tensor: tf.Tensor): void;
  /** Largest error of an output: see `PreparedConv`. */
  readonly tolerance: number;
  /** Runs once, where only that tells whether there is memory for it: false when there is not. */
  readonly fits?: (run: () => tf.Tensor4D) => boolean;
  /** Milliseconds of `count` convolutions, above 0. */
  timeMs(run: () => tf.Tensor4D, count: number): number;
  /** Milliseconds of one convolution as a program waits for it. */
  readonly eagerMs?: (run: () => tf.Tensor4D) => number;
}
