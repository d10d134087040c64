import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Labels } from '@alphaflops/contracts';
import { Command, CommanderError } from 'commander';
import type { Addition } from './add/additions.js';
import type { BenchRequest } from './bench.js';
import type {
  BenchValues,
  InstallValues,
  JoinValues,
  MachineValues,
  OfflineValues,
  ProbeValues,
  RunValues,
} from './commands/definitions.js';
import {
  defineWorkerCommand,
  recordOptions,
  WORKER_COMMANDS,
  type WorkerCommandName,
  withoutValues,
} from './commands/index.js';
import { coordinatorUrl } from './coordinator-client.js';
import { WorkerError } from './error.js';
import { type ExecutorOptions, KNOWN_EXECUTORS } from './executors.js';
import type { StayOptions } from './stay.js';

export interface JoinArguments extends ExecutorOptions {
  readonly command: 'join';
  readonly coordinatorUrl: string;
  /** `-`: read it from standard input. */
  readonly token: string;
  /** Null: the first of the preferred ones that works, and the program of `processCommand` if there is one. */
  readonly executors: readonly string[] | null;
  readonly labels: Labels;
  readonly name: string;
  readonly credentials: string | null;
  /** File with certificates to trust. */
  readonly ca: string | null;
  readonly force: boolean;
}
/** join.sh gives these after it has unpacked the worker. */
export interface InstallArguments {
  readonly command: 'install';
  readonly join: JoinArguments;
  /** Keep it running as a service. */
  readonly service: boolean;
  /** Run it in this process. */
  readonly run: boolean;
  readonly runArguments: RunArguments;
}
export interface RunArguments extends StayOptions {
  readonly command: 'run';
  /** The options as given. */
  readonly words: readonly string[];
  /** Follow the coordinator's version. */
  readonly autoUpgrade: boolean;
  readonly credentials: string | null;
  /** Null: the default of the kind of device. */
  readonly anchors: number | null;
  readonly anchorsEvery: number | null;
}
export interface ProbeArguments extends ExecutorOptions {
  readonly command: 'probe';
  readonly executors: readonly string[];
  readonly json: boolean;
}
export interface BenchArguments extends Omit<BenchRequest, 'libraryPath'> {
  readonly command: 'bench';
  readonly json: boolean;
}
export interface OfflineArguments extends ExecutorOptions {
  readonly command: 'run-offline';
  /** File of `campaign export-work`. Null: only list the devices. */
  readonly work: string | null;
  readonly out: string;
  /** As of `join`. */
  readonly executors: readonly string[] | null;
  readonly name: string;
  readonly labels: Labels;
  readonly credentials: string | null;
}
export type WorkerArguments =
  | JoinArguments
  | InstallArguments
  | RunArguments
  | ProbeArguments
  | BenchArguments
  | OfflineArguments
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'uninstall'; readonly credentials: string | null }
  | { readonly command: 'add'; readonly what: Addition };

/** @param words the options as given; with a command, only those that the command also has */
type Reader = (command: Command, words: (only?: Command) => string[]) => WorkerArguments;

const READERS: Readonly<Record<WorkerCommandName, Reader>> = {
  join: (command) => joinArguments(command.args, command.opts()),
  install: (command, words) => {
    const values = command.opts<InstallValues>();
    const run = defineWorkerCommand(new Command('run'), 'run');
    return {
      command: 'install',
      join: joinArguments(command.args, values),
      service: values.service ?? false,
      run: values.run && values.service !== true,
      runArguments: runArguments(values, words(run)),
    };
  },
  run: (command, words) => runArguments(command.opts(), words()),
  'run-offline': (command) => {
    const values = command.opts<OfflineValues>();
    const [work = null] = command.args;
    return {
      command: 'run-offline',
      work: work === null ? null : resolve(work),
      out: resolve(values.out),
      ...machineOf(values),
      executors: executorsOf(values),
      name: values.name ?? hostname(),
      labels: values.label ?? {},
      credentials: values.credentials ?? null,
    };
  },
  probe: (command) => {
    const values = command.opts<ProbeValues>();
    return {
      command: 'probe',
      ...machineOf(values),
      executors: executorsOf(values) ?? KNOWN_EXECUTORS,
      json: values.json ?? false,
    };
  },
  bench: (command) => {
    const values = command.opts<BenchValues>();
    return {
      command: 'bench',
      spec: values.spec,
      ...machineOf(values),
      executor: values.executor ?? (values.processCommand === undefined ? null : 'process'),
      deviceUuid: values.device ?? null,
      protocol: values.protocol ?? null,
      energy: values.energy ?? false,
      json: values.json ?? false,
    };
  },
  add: (command) => ({ command: 'add', what: command.args[0] as Addition }),
  uninstall: (command) => ({
    command: 'uninstall',
    credentials: command.opts<RunValues>().credentials ?? null,
  }),
};

/**
 * @param argv the arguments after the program's name
 * @throws WorkerError `usage` naming the argument; a token is never repeated
 */
export function parseArguments(argv: readonly string[]): WorkerArguments {
  let text = '';
  const parsed: WorkerArguments[] = [];
  const program = new Command('alphaflops-worker')
    .description('Measures convolutions on this machine for a coordinator.')
    .exitOverride()
    .helpCommand(false)
    .configureOutput({ writeOut: (piece) => (text += piece), writeErr: () => undefined });
  for (const name of WORKER_COMMANDS) {
    const command = defineWorkerCommand(program.command(name), name);
    const words = recordOptions(command);
    command.action(() => {
      parsed.push(READERS[name](command, words));
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: 'help', text };
    if (error.code === 'commander.help') throw usage(`Name a command: ${WORKER_COMMANDS.join(', ')}.`);
    throw usage(withoutValues(error.message).replace(/^error: /, ''));
  }
  const [found] = parsed;
  if (found === undefined) throw usage(`The command ${JSON.stringify(argv[0])} is unknown.`);
  return found;
}

function joinArguments([url = '']: readonly string[], values: JoinValues): JoinArguments {
  return {
    command: 'join',
    coordinatorUrl: coordinatorUrl(url).href,
    token: values.token,
    ...machineOf(values),
    executors: executorsOf(values),
    labels: values.label ?? {},
    name: values.name ?? hostname(),
    credentials: values.credentials ?? null,
    ca: values.ca ?? null,
    force: values.force ?? false,
  };
}

function runArguments(values: RunValues, words: readonly string[]): RunArguments {
  return {
    command: 'run',
    credentials: values.credentials ?? null,
    once: values.once ?? false,
    autoUpgrade: values.autoUpgrade ?? false,
    words,
    forMs: values.for ?? null,
    untilIdleMs: values.untilIdle ?? null,
    anchors: values.anchors ?? null,
    anchorsEvery: values.anchorsEvery ?? null,
  };
}

function machineOf({ processCommand, find, tfjsNode, softwareAdapter }: MachineValues): ExecutorOptions {
  return {
    processCommand: processCommand ?? null,
    cudnnFind: find ?? false,
    // A worker may later run in another folder.
    tfjsNodeFolder: tfjsNode === undefined ? null : resolve(tfjsNode),
    softwareAdapter: softwareAdapter ?? false,
  };
}

/** Null when no executor is named. */
function executorsOf({ executor, processCommand }: ProbeValues): readonly string[] | null {
  if (executor === undefined) return null;
  return [...new Set([...executor, ...(processCommand === undefined ? [] : ['process'])])];
}

function usage(message: string): WorkerError {
  return new WorkerError('usage', message);
}
