import { ExecutorError, type Executor } from '@alphaflops/executor';
import { BACKENDS } from './backend.js';
import { TfjsExecutor } from './tfjs-executor.js';

/** The executors of this adapter: `tfjs-wasm` (XNNPACK) and `tfjs-cpu` (plain loops, for checking). */
export const TFJS_EXECUTORS = BACKENDS.map((backend) => `tfjs-${backend}` as const);

/** What `@alphaflops/executor` calls. Throws `ExecutorError('unknown-executor')`. */
export function createExecutor(name: string): Executor {
  const backend = BACKENDS.find((candidate) => name === `tfjs-${candidate}`);
  if (backend === undefined) {
    throw new ExecutorError(
      'unknown-executor',
      `there is no executor "${name}" in @alphaflops/executor-tfjs; it has ${TFJS_EXECUTORS.join(' and ')}`,
    );
  }
  return new TfjsExecutor(backend);
}
