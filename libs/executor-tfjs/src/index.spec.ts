import { createExecutor, TFJS_EXECUTORS } from './index.js';

it('creates its executors and no other', () => {
  expect(TFJS_EXECUTORS.map((name) => createExecutor(name).name)).toEqual(['tfjs-wasm', 'tfjs-cpu']);
  for (const name of ['tfjs-webgl', 'wasm', '']) {
    expect(() => createExecutor(name)).toThrow(
      `there is no executor "${name}" in @alphaflops/executor-tfjs; it has tfjs-wasm and tfjs-cpu`,
    );
  }
});
