import { Installation } from '../install/installation.js';
import type { Addition } from './additions.js';
import type { AddContext } from './context.js';
import { addCudnn } from './cudnn.js';
import { addTfjsNode } from './tfjs-node.js';
import { addWebgpu } from './webgpu.js';

/**
 * Downloads an addition into the worker's own folder. The worker uses it from its next start on.
 * @throws WorkerError `cannot-add` that names what is missing, `usage` if this worker was not installed by join.sh
 */
export async function add(what: Addition, context: Omit<AddContext, 'root'>): Promise<void> {
  const { installation } = Installation.own();
  const complete = { ...context, root: installation.root };
  switch (what) {
    case 'webgpu':
      await addWebgpu(complete);
      break;
    case 'cudnn':
      await addCudnn(complete);
      break;
    case 'tfjs-node':
    case 'tfjs-node-gpu':
      addTfjsNode(what, complete);
      break;
  }
  context.print(`To list the working executors: ${installation.program} probe\n`);
}
