import { ExecutorError, type Executor, type ExecutorSettings } from '@alphaflops/executor';
import { z } from 'zod';
import { BACKENDS } from './backend.js';
import { TfjsExecutor } from './tfjs-executor.js';

/** `tfjs-wasm` (XNNPACK), `tfjs-cpu` (plain loops, for checking), `tfjs-node` (TensorFlow's own library). */
export const TFJS_EXECUTORS = BACKENDS.map((backend) => `tfjs-${backend}` as const);

const NodeSettingsSchema = z.strictObject({
  /** Folder with the packages that have tfjs-node, if it is not among those around this one. */
  folder: z.string().min(1).optional(),
});

/** What `@alphaflops/executor` calls. Throws `ExecutorError`: `unknown-executor`, `bad-settings`. */
export function createExecutor(name: string, settings: ExecutorSettings = {}): Executor {
  const backend = BACKENDS.find((candidate) => name === `tfjs-${candidate}`);
  if (backend === undefined) {
    throw new ExecutorError(
      'unknown-executor',
      `there is no executor "${name}" in @alphaflops/executor-tfjs; it has ${TFJS_EXECUTORS.join(', ')}`,
    );
  }
  const parsed = (backend === 'node' ? NodeSettingsSchema : z.strictObject({})).safeParse(settings);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new ExecutorError('bad-settings', `settings of executor ${name}: ${issues.join('; ')}`);
  }
  return new TfjsExecutor(backend, parsed.data);
}
