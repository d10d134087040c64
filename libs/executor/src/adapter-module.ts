import type { EnergyReference } from './energy-meter.js';
import { ExecutorError } from './error.js';
import type { Executor } from './executor.js';

/** The package and name of an executor, with its settings. */
export interface ExecutorReference {
  /** Package name or file URL of the adapter. A package name is resolved from this library. */
  readonly module: string;
  /** One of the executors of the adapter. */
  readonly executor: string;
  /** Settings of the executor on this machine, in JSON types. The adapter documents them. */
  readonly settings?: ExecutorSettings;
  /** The package of energy meters of this machine; absent: energy is not measured. */
  readonly energy?: EnergyReference;
}

/** Settings from the worker's own command line, file and environment, never from a coordinator. */
export type ExecutorSettings = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** The exports of an adapter. */
export interface AdapterModule {
  /** Throws `ExecutorError`: `unknown-executor` for a name of another adapter, `bad-settings` for settings that it cannot use. */
  createExecutor(name: string, settings?: ExecutorSettings): Executor | Promise<Executor>;
}

/**
 * Imports an adapter and creates one of its executors.
 *
 * @throws ExecutorError `start-failed` when the module cannot be loaded or exports no adapter; also the errors of its `createExecutor`
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
    throw new ExecutorError('start-failed', `"${module}" is not an adapter: it exports no createExecutor`);
  }
  return await adapter.createExecutor(executor, settings);
}
