import { createExecutor, TFJS_EXECUTORS } from './index.js';

it('creates its executors and no other', () => {
  expect(TFJS_EXECUTORS.map((name) => createExecutor(name).name)).toEqual([
    'tfjs-wasm',
    'tfjs-cpu',
    'tfjs-node',
    'tfjs-webgpu',
    'tfjs-node-gpu',
  ]);
  for (const name of ['tfjs-webgl', 'wasm', '']) {
    expect(() => createExecutor(name)).toThrow(
      `there is no executor "${name}" in @alphaflops/executor-tfjs; it has tfjs-wasm, tfjs-cpu, tfjs-node, tfjs-webgpu, tfjs-node-gpu`,
    );
  }
});

it('accepts only the settings of each executor', () => {
  expect(createExecutor('tfjs-node', { folder: '/opt/tfjs-node' }).name).toBe('tfjs-node');
  expect(() => createExecutor('tfjs-node', { folder: '' })).toThrow(
    /^settings of executor tfjs-node: folder: /,
  );
  expect(createExecutor('tfjs-node-gpu', { folder: '/opt', libraryPath: ['/opt/lib'] }).name).toBe(
    'tfjs-node-gpu',
  );
  expect(() => createExecutor('tfjs-webgpu', { softwareAdapter: 'yes' })).toThrow(
    /^settings of executor tfjs-webgpu: softwareAdapter: /,
  );
  expect(() => createExecutor('tfjs-wasm', { folder: '/opt' })).toThrow(
    /^settings of executor tfjs-wasm: .*"folder"/,
  );
});
