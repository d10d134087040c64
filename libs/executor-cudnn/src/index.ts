import { ExecutorError, type Executor, type ExecutorSettings } from '@alphaflops/executor';
import { z } from 'zod';
import { CudnnExecutor } from './cudnn-executor.js';

export { GpuError, type GpuErrorCode } from '@alphaflops/nvidia';

/** `cudnn` allows TF32 for f32, as frameworks do; `cudnn-fp32` does not. */
export const CUDNN_EXECUTORS = ['cudnn', 'cudnn-fp32'] as const;

const SettingsSchema = z.strictObject({
  /** Folders that are searched first for libraries. */
  libraryPath: z.array(z.string()).default([]),
  /** For each spec, time the first working engine configurations, at most 8, and use the fastest. */
  find: z.boolean().default(false),
});

/** `@alphaflops/executor` calls it. Throws `ExecutorError`: `unknown-executor`, `bad-settings`. */
export function createExecutor(name: string, settings: ExecutorSettings = {}): Executor {
  if (name !== 'cudnn' && name !== 'cudnn-fp32') {
    throw new ExecutorError(
      'unknown-executor',
      `there is no executor "${name}" in @alphaflops/executor-cudnn; it has ${CUDNN_EXECUTORS.join(' and ')}`,
    );
  }
  const parsed = SettingsSchema.safeParse(settings);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new ExecutorError('bad-settings', `settings of executor ${name}: ${issues.join('; ')}`);
  }
  const { libraryPath, find } = parsed.data;
  const choice = find ? 'find' : 'heuristic';
  return new CudnnExecutor({ libraryPath, tf32: name === 'cudnn', choice });
}
