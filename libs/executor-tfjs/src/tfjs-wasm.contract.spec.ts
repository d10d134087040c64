import type { ConvSpec } from '@alphaflops/conv';
import { executorConformance } from '@alphaflops/executor/testing';
import * as tf from '@tensorflow/tfjs-core';
import { createExecutor } from './index.js';
import { CONV_3X3, computedBy, HUGE, UNSUPPORTED } from './specs.spec.helper.js';

describe('tfjs-wasm conforms', () => {
  executorConformance({
    createExecutor: () => createExecutor('tfjs-wasm'),
    unsupported: UNSUPPORTED,
    huge: HUGE,
    grouped: 'unsupported',
    computes: computedBy(['forward', 'backward-data'], ['forward']),
    allocations: () => tf.memory().numTensors,
  });
});

it('is the only backend of its process', async () => {
  expect(await createExecutor('tfjs-cpu').probe()).toEqual({
    ok: false,
    reason: 'this process already runs tfjs-wasm: TensorFlow.js has one backend in a process',
  });
});

it.each<[string, Partial<ConvSpec>]>([
  ['4 GiB of addresses', { height: 20_000, width: 20_000, cin: 2, cout: 1 }],
  ['room for the output beside the input', { height: 10_000, width: 10_000, cin: 5, cout: 7 }],
  ['a margin beside the tensors', { height: 22_600, width: 22_600, kernel_h: 1, kernel_w: 1 }],
  ['room for the pointers of a large kernel', { height: 4000, width: 4000, kernel_h: 11, kernel_w: 11 }],
])('is out of memory without %s', async (_, changes) => {
  const executor = createExecutor('tfjs-wasm');
  const probed = await executor.probe();
  if (!probed.ok) throw new Error(probed.reason);
  const session = await executor.open(probed.devices[0]?.uuid ?? '');
  const spec = { ...CONV_3X3, cin: 1, cout: 1, ...changes };
  expect(await session.prepare(spec, { seed: 1, mode: 'hot' })).toMatchObject({ outcome: 'out-of-memory' });
});
