import type { EnergyReference } from './energy-meter.js';
import { ExecutorError } from './error.js';
import type { Executor } from './executor.js';

/** Where an executor is found. */
export interface ExecutorReference {
  /** Package name or file URL of the adapter; a package name is resolved from this library. */
  readonly module: string;
  /** One of the executors of the adapter. */
  readonly executor: string;
  /** What this machine is set up with for it, in JSON types: the adapter says what it takes. */
  readonly settings?: ExecutorSettings;
  /** Where the energy meters of this machine are found; absent: energy is not measured. */
  readonly energy?: EnergyReference;
}

/** Comes from the worker's own command line, file and environment; never from a coordinator. */
export type ExecutorSettings = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What an adapter exports. */
export interface AdapterModule {
  /** Throws `ExecutorError`: `unknown-executor` for a name not its own, `bad-settings` for settings it cannot use. */
  createExecutor(name: string, settings?: ExecutorSettings): Executor | Promise<Executor>;
}

/**
 * Imports an adapter and creates one of its executors.
 *
 * @throws ExecutorError `start-failed` when the module cannot be loaded or exports no adapter, and what its `createExecutor` throws
 */
export async function loadExecutor({ module, executor, settings }: ExecutorReference): Promise<Executor> {
  let adapter: Partial<AdapterModule>;
  try {
    adapter = (await import(module)) as Partial<AdapterModule>;
  } catch (error) {
    const message = `the adapter "${module}" of executor "${executor}" cannot be loaded: ${String(error)}`;
    throw new ExecutorError('start-failed', message, { cause: error });
  }
  if (typeof adapter.createExecutor !== 'function') {
    throw new ExecutorError('start-failed', `"${module}" is no adapter: it exports no createExecutor`);
  }
  return await adapter.createExecutor(executor, settings);
}
