import { F32_TOLERANCE } from '@alphaflops/measure';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Backend } from '../backend-type.js';
import { commonLibraries } from '../libraries.js';
import { TIMER } from '../processor-timer.js';
import { eagerMs, runAndWait, slopeMs } from './slope-timer.js';
import { loadTfjsNode } from './tfjs-node-package.js';

export interface NodeSettings {
  /** Where tfjs-node is installed, if not among the packages around this one. */
  readonly folder?: string | undefined;
}

/** One thread, as the other executors on processors; and no GPU, even if this TensorFlow could use one. */
const ENVIRONMENT = {
  TF_NUM_INTRAOP_THREADS: '1',
  TF_NUM_INTEROP_THREADS: '1',
  CUDA_VISIBLE_DEVICES: '-1',
  TF_CPP_MIN_LOG_LEVEL: '1',
};

/** TensorFlow's own library on the processor. Throws `ExecutorError('start-failed')`. */
// eslint-disable-next-line @typescript-eslint/require-await -- as the other backends
export async function activateNode({ folder }: NodeSettings): Promise<Backend> {
  const { tf, version, tensorflow } = loadTfjsNode('node', folder, ENVIRONMENT);
  const batchMs = (run: () => Tensor4D) => (count: number) =>
    TIMER.timeMs(() => {
      runAndWait(tf, run, count);
    });
  return {
    name: 'node',
    tf,
    libraries: {
      ...commonLibraries(tf.version_core, `slope of ${TIMER.name}`),
      'tfjs-node': version,
      tensorflow,
      threads: '1',
    },
    canAllocate: (blocksBytes) =>
      blocksBytes.reduce((total, bytes) => total + bytes, 0) < process.availableMemory(),
    assertAllocated: () => undefined, // TensorFlow throws.
    tolerance: F32_TOLERANCE,
    timeMs: (run, count) => slopeMs(batchMs(run), count),
    eagerMs: (run) => eagerMs(batchMs(run)),
  };
}
