import { loadedVersions } from '@alphaflops/nvidia';
import type * as tf from '@tensorflow/tfjs-core';
import type { Backend } from '../backend-type.js';
import { commonLibraries } from '../libraries.js';
import { eagerMs, runAndWait, slopeMs } from './slope-timer.js';
import type { TfjsNode } from './tfjs-node-package.js';

/** TensorFlow uses products in TF32 if the GPU has it: see the tolerances of executor cudnn. */
const TF32_TOLERANCE = 1e-2;

/** TensorFlow's error when the memory of the GPU is used up. TensorFlow remains usable. */
const OUT_OF_MEMORY = /\bOOM\b|RESOURCE_EXHAUSTED|out of memory/i;

/** TensorFlow on the GPU. @param memoryBytes memory of the GPU, if it is known */
export function nodeGpuBackend(loaded: TfjsNode, memoryBytes: number | null): Backend {
  const { tf, version, tensorflow } = loaded;
  const batchMs = (run: () => tf.Tensor4D) => (count: number) => {
    const startMs = performance.now();
    runAndWait(tf, run, count);
    return performance.now() - startMs;
  };
  return {
    name: 'node-gpu',
    tf,
    libraries: {
      ...commonLibraries(tf.version_core, 'slope of wall clock'),
      'tfjs-node-gpu': version,
      tensorflow,
      ...loadedVersions(),
    },
    // The host also has the inputs until their first use.
    canAllocate: (blocksBytes) =>
      sum(blocksBytes) < Math.min(process.availableMemory(), memoryBytes ?? Infinity),
    assertAllocated: () => undefined, // TensorFlow throws.
    tolerance: TF32_TOLERANCE,
    fits(run) {
      try {
        runAndWait(tf, run, 1);
        return true;
      } catch (error) {
        if (error instanceof Error && OUT_OF_MEMORY.test(error.message)) return false;
        throw error;
      }
    },
    timeMs: (run, count) => slopeMs(batchMs(run), count),
    eagerMs: (run) => eagerMs(batchMs(run)),
  };
}

/** Runs a small convolution, which is when TensorFlow loads cuDNN. Throws in TensorFlow's words. */
export function tryOut({ tidy, ones, conv2d }: typeof tf): void {
  tidy(() => conv2d(ones<tf.Rank.R4>([1, 8, 8, 4]), ones<tf.Rank.R4>([3, 3, 4, 4]), 1, 'same').dataSync());
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
