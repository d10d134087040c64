import { ExecutorError } from '@alphaflops/executor';

/** TensorFlow.js has one active backend in a process. A change of the backend would move existing tensors. */
let owner: string | null = null;

/** Throws `ExecutorError('start-failed')` when another executor of this adapter already runs in this process. */
export function claimProcess(executor: string): void {
  if (owner !== null && owner !== executor) {
    throw new ExecutorError(
      'start-failed',
      `this process already runs ${owner}: TensorFlow.js has one backend in a process`,
    );
  }
  owner = executor;
}
