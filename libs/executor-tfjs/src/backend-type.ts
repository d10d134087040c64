import type * as tf from '@tensorflow/tfjs-core';

export const BACKENDS = ['wasm', 'cpu', 'node'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The active TensorFlow.js backend of this process. Its work is complete when a call returns or a tensor is read. */
export interface Backend {
  readonly name: BackendName | 'node-gpu';
  /** The TensorFlow.js of this backend. tfjs-node may have another copy of it. */
  readonly tf: typeof tf;
  /** Names and versions of the libraries, and how they were built. */
  readonly libraries: Readonly<Record<string, string>>;
  /** Whether these blocks of memory can be allocated at the same time. It frees them again. */
  canAllocate(blocksBytes: readonly number[]): boolean;
  /** Throws when the tensor was created without memory. The library does not detect that, and has overwritten its heap. */
  assertAllocated(tensor: tf.Tensor): void;
  /** Largest error of an output: see `PreparedConv`. */
  readonly tolerance: number;
  /** Runs once, if only a run shows whether there is enough memory. Returns false when there is not. */
  readonly fits?: (run: () => tf.Tensor4D) => boolean;
  /** Time of `count` convolutions in milliseconds, above 0. */
  timeMs(run: () => tf.Tensor4D, count: number): number;
  /** Time of one convolution in milliseconds, including the wait of a program for it. */
  readonly eagerMs?: (run: () => tf.Tensor4D) => number;
}
