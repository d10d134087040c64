/** The adapter on the build, with the fault of its settings told to fake-gpu.c before that is loaded. */
import { createExecutor as create } from '../dist/index.js';

export function createExecutor(name, { fault, ...settings }) {
  process.env.FAKE_GPU_FAULT = fault;
  return create(name, settings);
}
