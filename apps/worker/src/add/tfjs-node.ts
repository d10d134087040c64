import { WorkerError } from '../error.js';
import type { AddContext } from './context.js';
import { buildAddon, CannotBuild } from './tfjs-node-addon.js';

/**
 * TensorFlow.js on the TensorFlow of this machine's Python, built here, because there is no package for current
 * versions.
 */
export function addTfjsNode(
  executor: 'tfjs-node' | 'tfjs-node-gpu',
  { root, python, print }: AddContext,
): void {
  const log = (line: string): void => {
    print(`${line}\n`);
  };
  try {
    const version = buildAddon({ python, gpu: executor === 'tfjs-node-gpu', folder: root, log });
    print(`Executor ${executor} now runs TensorFlow ${version}.\n`);
  } catch (cause) {
    if (!(cause instanceof CannotBuild)) throw cause;
    const message = `${executor} needs npm, make, a C++ compiler and a Python with TensorFlow: ${cause.message}.`;
    throw new WorkerError('cannot-add', message, { cause });
  }
}
