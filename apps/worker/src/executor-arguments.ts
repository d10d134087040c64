import { resolve } from 'node:path';
import { type Labels, LabelsSchema } from '@alphaflops/contracts';
import { WorkerError } from './error.js';
import { executorNamed, type ExecutorOptions, KNOWN_EXECUTORS } from './executors.js';

export const EXECUTOR_OPTIONS = {
  executor: { type: 'string', multiple: true },
  'process-command': { type: 'string' },
  find: { type: 'boolean' },
  'tfjs-node': { type: 'string' },
  'software-adapter': { type: 'boolean' },
} as const;

export interface MachineFlags {
  readonly 'process-command'?: string;
  readonly find?: boolean;
  readonly 'tfjs-node'?: string;
  readonly 'software-adapter'?: boolean;
}
export interface ExecutorFlags extends MachineFlags {
  readonly executor?: string[];
}

export function machineOf(values: MachineFlags): ExecutorOptions {
  const processCommand = values['process-command'] ?? null;
  if (processCommand?.trim() === '') throw usage('--process-command: say which program.');
  const folder = values['tfjs-node'];
  if (folder?.trim() === '') throw usage('--tfjs-node: say which folder.');
  return {
    processCommand,
    cudnnFind: values.find ?? false,
    // A worker may later run in another folder.
    tfjsNodeFolder: folder === undefined ? null : resolve(folder),
    softwareAdapter: values['software-adapter'] ?? false,
  };
}

/** Null when none is named. */
export function executorsOf(values: ExecutorFlags): readonly string[] | null {
  if (values.executor === undefined) return null;
  return knownExecutors([
    ...values.executor,
    ...(values['process-command'] === undefined ? [] : ['process']),
  ]);
}

export function knownExecutors(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => executorNamed(name) === null);
  if (unknown.length === 0) return [...new Set(names)];
  throw usage(`--executor: unknown ${unknown.join(', ')}; known are ${KNOWN_EXECUTORS.join(', ')}.`);
}

export function parseLabels(texts: readonly string[]): Labels {
  const pairs = texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw usage(`--label: ${JSON.stringify(text)} is not of the form key=value.`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  const labels = LabelsSchema.safeParse(Object.fromEntries(pairs));
  if (labels.success) return labels.data;
  const issue = labels.error.issues[0];
  throw usage(`--label: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}.`);
}

export function usage(message: string): WorkerError {
  return new WorkerError('usage', message);
}
