import { testAdapter } from '@alphaflops/config';
import type { ExecutorReference, ExecutorSettings } from '@alphaflops/executor';
import { WorkerError } from './error.js';

/** Executors by the name that users write; each is an adapter package and one of its executors. */
const EXECUTORS: ReadonlyMap<string, ExecutorReference> = new Map(
  Object.entries({
    'tfjs-wasm': { module: '@alphaflops/executor-tfjs', executor: 'tfjs-wasm' },
    'tfjs-cpu': { module: '@alphaflops/executor-tfjs', executor: 'tfjs-cpu' },
    'tfjs-webgpu': { module: '@alphaflops/executor-tfjs', executor: 'tfjs-webgpu' },
    'tfjs-node': { module: '@alphaflops/executor-tfjs', executor: 'tfjs-node' },
    'tfjs-node-gpu': { module: '@alphaflops/executor-tfjs', executor: 'tfjs-node-gpu' },
    cudnn: { module: '@alphaflops/executor-cudnn', executor: 'cudnn' },
    'cudnn-fp32': { module: '@alphaflops/executor-cudnn', executor: 'cudnn-fp32' },
    process: { module: '@alphaflops/executor-process', executor: 'process' },
  }),
);

export const KNOWN_EXECUTORS: readonly string[] = [...EXECUTORS.keys()];

/**
 * Default executors of a machine: the first of these that works is used. The fastest for a GPU comes first, the
 * processor last.
 */
export const PREFERRED_EXECUTORS: readonly string[] = ['cudnn', 'tfjs-wasm'];

/** Settings of executors from this machine's own command line; stored with the credentials. */
export interface ExecutorOptions {
  /** The program of executor `process`. */
  readonly processCommand: string | null;
  /** Whether cuDNN is to time its algorithms. */
  readonly cudnnFind: boolean;
  /** Where the packages of executors `tfjs-node` and `tfjs-node-gpu` are installed, if not among the worker's own. Absolute. */
  readonly tfjsNodeFolder: string | null;
  /** Whether `tfjs-webgpu` is to use an adapter that computes on the processor. */
  readonly softwareAdapter: boolean;
}

/** Settings of executors from this machine, including its environment. A coordinator cannot change them. */
export interface MachineSettings extends ExecutorOptions {
  /** Folders with libraries. */
  readonly libraryPath: readonly string[];
}

/** Null for an unknown name. Test doubles are known only if the environment names their adapter. */
export function executorNamed(name: string): ExecutorReference | null {
  const module = testAdapter();
  if (module !== null && name.startsWith('fake')) return { module, executor: name };
  return EXECUTORS.get(name) ?? null;
}

/** @throws WorkerError `usage` for a name that no executor has */
export function referenceOf(name: string, machine: MachineSettings): ExecutorReference {
  const executor = executorNamed(name);
  if (executor === null) throw new WorkerError('usage', `There is no executor ${name}.`);
  const energy = { module: '@alphaflops/energy', settings: { libraryPath: machine.libraryPath } };
  const reference = { ...executor, energy };
  const { libraryPath, processCommand, cudnnFind, tfjsNodeFolder, softwareAdapter } = machine;
  const folder: ExecutorSettings = tfjsNodeFolder === null ? {} : { folder: tfjsNodeFolder };
  switch (name) {
    case 'cudnn':
    case 'cudnn-fp32':
      return { ...reference, settings: { libraryPath, find: cudnnFind } };
    case 'process':
      return { ...reference, settings: processCommand === null ? {} : { command: processCommand } };
    case 'tfjs-webgpu':
      return { ...reference, settings: { softwareAdapter } };
    case 'tfjs-node':
      return { ...reference, settings: folder };
    case 'tfjs-node-gpu':
      return { ...reference, settings: { ...folder, libraryPath } };
    default:
      return reference;
  }
}
