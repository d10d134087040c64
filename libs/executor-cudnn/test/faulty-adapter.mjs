/** The adapter on the build, with the environment that its settings ask for: fake-gpu.c reads the fault from it. */
import { createExecutor as create } from '../dist/index.js';

export function createExecutor(name, { fault, visible, ...settings }) {
  if (fault !== undefined) process.env.FAKE_GPU_FAULT = fault;
  if (visible !== undefined) process.env.CUDA_VISIBLE_DEVICES = visible;
  return create(name, settings);
}
