import { PASSES } from '@alphaflops/conv';
import { executorConformance } from '@alphaflops/executor/testing';
import * as tf from '@tensorflow/tfjs-core';
import { createExecutor } from './index.js';
import { computedBy, HUGE, UNSUPPORTED } from './specs.spec.helper.js';

describe('tfjs-cpu conforms', () => {
  executorConformance({
    createExecutor: () => createExecutor('tfjs-cpu'),
    unsupported: UNSUPPORTED,
    huge: HUGE,
    grouped: 'unsupported',
    computes: computedBy(PASSES, PASSES),
    allocations: () => tf.memory().numTensors,
  });
});

it('is the only backend of its process', async () => {
  expect(await createExecutor('tfjs-wasm').probe()).toEqual({
    ok: false,
    reason: 'this process already runs tfjs-cpu: TensorFlow.js has one backend in a process',
  });
});
