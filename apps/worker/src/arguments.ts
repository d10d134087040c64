import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConvSpecSchema, type Labels, LabelsSchema } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { DEFAULT_ANCHORS, MAX_ANCHORS } from '@alphaflops/measure';
import type { BenchRequest } from './bench.js';
import { coordinatorUrl } from './coordinator-client.js';
import { messageOf, WorkerError } from './error.js';
import { type ExecutorOptions, EXECUTORS, PREFERRED_EXECUTORS, REAL_EXECUTORS } from './executors.js';

export interface JoinArguments extends ExecutorOptions {
  readonly command: 'join';
  readonly coordinatorUrl: string;
  /** `-`: the first line of standard input. */
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
export interface RunArguments {
  readonly command: 'run';
  readonly credentials: string | null;
  /** Null: what is usual for the kind of device. */
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
export type WorkerArguments =
  JoinArguments | RunArguments | ProbeArguments | BenchArguments | { readonly command: 'help' };

export const USAGE = `Usage:
  alphaflops worker join URL --token TOKEN   enrol this machine with the coordinator at URL
      --token -                   read the token from standard input
      --executor NAME             drive devices through NAME; may be repeated (default: the first
                                  that works of ${PREFERRED_EXECUTORS.join(', ')};
                                  known: ${Object.keys(EXECUTORS).join(', ')})
      --process-command COMMAND   the program of executor process, which is then used too
      --find                      executor cudnn uses the fastest algorithm, not the one that cuDNN expects to be
      --tfjs-node FOLDER          where executors tfjs-node and tfjs-node-gpu are installed
      --software-adapter          executor tfjs-webgpu computes on the processor, through a software Vulkan driver
      --label KEY=VALUE           label of this worker; may be repeated
      --name NAME                 name of this worker (default: the host name)
      --credentials FILE          where to keep the credentials
      --ca FILE                   certificates (PEM) to trust at the coordinator and at Redis; kept with the
                                  credentials (default: ALPHAFLOPS_CA)
      --force                     replace the credentials of another coordinator
  alphaflops worker run                      take batches and measure them
      --credentials FILE          what join has written
      --anchors N                 watch for drift with N anchor convolutions, 0 to ${MAX_ANCHORS}
                                  (default: ${DEFAULT_ANCHORS.gpu.count} on GPUs, ${DEFAULT_ANCHORS.cpu.count} on processors)
      --anchors-every BATCHES     time some of them again after so many batches (default: ${DEFAULT_ANCHORS.gpu.everyBatches})
  alphaflops device probe                    what this machine could measure on, with no coordinator
      --executor NAME             ask NAME only; may be repeated (default: all that are known)
      --process-command COMMAND   the program of executor process
      --tfjs-node FOLDER          where executors tfjs-node and tfjs-node-gpu are installed
      --software-adapter          executor tfjs-webgpu computes on the processor, through a software Vulkan driver
      --json                      print JSON
  alphaflops bench --spec SPEC               time one convolution here (see alphaflops bench --help)

Examples:
  alphaflops worker join https://coordinator:8080 --token af_join_… --label rack=7
  alphaflops worker run
  alphaflops device probe --executor cudnn --json
`;

const EXECUTOR_OPTIONS = {
  executor: { type: 'string', multiple: true },
  'process-command': { type: 'string' },
  find: { type: 'boolean' },
  'tfjs-node': { type: 'string' },
  'software-adapter': { type: 'boolean' },
} as const;
const JOIN_OPTIONS = {
  ...EXECUTOR_OPTIONS,
  token: { type: 'string' },
  label: { type: 'string', multiple: true },
  name: { type: 'string' },
  credentials: { type: 'string' },
  ca: { type: 'string' },
  force: { type: 'boolean' },
} as const;
const PROBE_OPTIONS = {
  ...EXECUTOR_OPTIONS,
  json: { type: 'boolean' },
} as const;
const BENCH_OPTIONS = {
  ...EXECUTOR_OPTIONS,
  executor: { type: 'string' },
  spec: { type: 'string' },
  device: { type: 'string' },
  protocol: { type: 'string' },
  energy: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;
const RUN_OPTIONS = {
  credentials: { type: 'string' },
  anchors: { type: 'string' },
  'anchors-every': { type: 'string' },
} as const;

/**
 * @param argv what follows the program's name
 * @throws WorkerError `usage` naming the argument; a token is never repeated
 */
export function parseArguments(argv: readonly string[]): WorkerArguments {
  const [command, ...rest] = argv;
  if (command === '--help' || command === '-h' || rest.includes('--help') || rest.includes('-h')) {
    return { command: 'help' };
  }
  try {
    if (command === 'join') return parseJoin(rest);
    if (command === 'run') {
      const { values } = parseArgs({ args: rest, options: RUN_OPTIONS });
      return {
        command: 'run',
        credentials: values.credentials ?? null,
        anchors: wholeNumber(values, 'anchors', 0, MAX_ANCHORS),
        anchorsEvery: wholeNumber(values, 'anchors-every', 1, 10_000),
      };
    }
    if (command === 'bench') return parseBench(rest);
    if (command === 'probe') {
      const { values } = parseArgs({ args: rest, options: PROBE_OPTIONS });
      return {
        command: 'probe',
        ...machineOf(values),
        executors: executorsOf(values) ?? REAL_EXECUTORS,
        json: values.json ?? false,
      };
    }
  } catch (error) {
    if (error instanceof WorkerError) throw error;
    // parseArgs goes on with advice about positional arguments.
    throw usage(`${messageOf(error).split(/[.\n]/)[0] ?? ''}.`);
  }
  throw usage(command === undefined ? 'Say join or run.' : `There is no command ${JSON.stringify(command)}.`);
}

function parseJoin(args: string[]): JoinArguments {
  const { values, positionals } = parseArgs({ args, options: JOIN_OPTIONS, allowPositionals: true });
  const [url, ...more] = positionals;
  if (url === undefined) throw usage('URL: say which coordinator to join.');
  if (more.length > 0) throw usage('There is one URL, and everything else has a name, such as --token.');
  if (values.token === undefined || values.token === '') {
    throw usage('--token: the coordinator’s operator makes one with alphaflops worker token.');
  }
  const name = values.name ?? hostname();
  if (name.length < 1 || name.length > 120) throw usage('--name: 1 to 120 characters.');
  return {
    command: 'join',
    coordinatorUrl: coordinatorUrl(url).href,
    token: values.token,
    ...machineOf(values),
    executors: executorsOf(values),
    labels: parseLabels(values.label ?? []),
    name,
    credentials: values.credentials ?? null,
    ca: values.ca ?? null,
    force: values.force ?? false,
  };
}

function parseBench(args: string[]): BenchArguments {
  const { values } = parseArgs({ args, options: BENCH_OPTIONS });
  const { executor = values['process-command'] === undefined ? null : 'process' } = values;
  if (executor !== null) knownExecutors([executor]);
  return {
    command: 'bench',
    spec: parseSpec(values.spec ?? ''),
    ...machineOf(values),
    executor,
    deviceUuid: values.device ?? null,
    protocol: values.protocol ?? null,
    energy: values.energy ?? false,
    json: values.json ?? false,
  };
}

/** The command line hands a spec over as JSON, whichever way it was written there. */
function parseSpec(text: string): ConvSpec {
  try {
    return ConvSpecSchema.strict().parse(JSON.parse(text));
  } catch {
    throw usage(`--spec: ${JSON.stringify(text)} is not the JSON object of a convolution.`);
  }
}

interface MachineFlags {
  readonly 'process-command'?: string;
  readonly find?: boolean;
  readonly 'tfjs-node'?: string;
  readonly 'software-adapter'?: boolean;
}
interface ExecutorFlags extends MachineFlags {
  readonly executor?: string[];
}

function machineOf(values: MachineFlags): ExecutorOptions {
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
function executorsOf(values: ExecutorFlags): readonly string[] | null {
  if (values.executor === undefined) return null;
  return knownExecutors([
    ...values.executor,
    ...(values['process-command'] === undefined ? [] : ['process']),
  ]);
}

function knownExecutors(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !Object.hasOwn(EXECUTORS, name));
  if (unknown.length === 0) return [...new Set(names)];
  throw usage(`--executor: unknown ${unknown.join(', ')}; known are ${Object.keys(EXECUTORS).join(', ')}.`);
}

function parseLabels(texts: readonly string[]): Labels {
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

/** Null when it is not given. */
function wholeNumber<Name extends string>(
  values: { readonly [key in Name]?: string },
  name: Name,
  least: number,
  most: number,
): number | null {
  const text = values[name];
  if (text === undefined) return null;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(`--${name}: a whole number from ${least} to ${most}.`);
}

function usage(message: string): WorkerError {
  return new WorkerError('usage', message);
}
