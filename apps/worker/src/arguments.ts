import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConvSpecSchema, type Labels, errorText } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { MAX_ANCHORS } from '@alphaflops/measure';
import { type Addition, ADDITIONS } from './add/additions.js';
import type { BenchRequest } from './bench.js';
import { coordinatorUrl } from './coordinator-client.js';
import { WorkerError } from './error.js';
import {
  EXECUTOR_OPTIONS,
  executorsOf,
  knownExecutors,
  machineOf,
  parseLabels,
  usage,
} from './executor-arguments.js';
import { type ExecutorOptions, KNOWN_EXECUTORS } from './executors.js';
import type { StayOptions } from './stay.js';

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
/** Of join.sh, once the worker is unpacked. */
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
  /** These arguments as they were given. */
  readonly words: readonly string[];
  /** Follow the coordinator's version. */
  readonly autoUpgrade: boolean;
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
export interface OfflineArguments extends ExecutorOptions {
  readonly command: 'run-offline';
  /** File of `campaign export-work`. Null: only say which devices are here. */
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
  | { readonly command: 'help' }
  | { readonly command: 'uninstall'; readonly credentials: string | null }
  | { readonly command: 'add'; readonly what: Addition };

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
const OFFLINE_OPTIONS = {
  ...EXECUTOR_OPTIONS,
  out: { type: 'string' },
  label: { type: 'string', multiple: true },
  name: { type: 'string' },
  credentials: { type: 'string' },
} as const;
const STAY_OPTIONS = {
  once: { type: 'boolean' },
  'auto-upgrade': { type: 'boolean' },
  for: { type: 'string' },
  'until-idle': { type: 'string' },
} as const;
const RUN_OPTIONS = {
  ...STAY_OPTIONS,
  credentials: { type: 'string' },
  anchors: { type: 'string' },
  'anchors-every': { type: 'string' },
} as const;

const INSTALL_OPTIONS = {
  ...JOIN_OPTIONS,
  ...RUN_OPTIONS,
  service: { type: 'boolean' },
  'no-run': { type: 'boolean' },
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
    if (command === 'install') return parseInstall(rest);
    if (command === 'run') return parseRun(rest);
    if (command === 'run-offline') return parseOffline(rest);
    if (command === 'add') {
      const what = ADDITIONS.find((addition) => addition === rest[0]);
      if (what === undefined || rest.length > 1) throw usage(`Say what to add: ${ADDITIONS.join(', ')}.`);
      return { command: 'add', what };
    }
    if (command === 'uninstall') {
      const { values } = parseArgs({ args: rest, options: { credentials: { type: 'string' } } });
      return { command: 'uninstall', credentials: values.credentials ?? null };
    }
    if (command === 'bench') return parseBench(rest);
    if (command === 'probe') {
      const { values } = parseArgs({ args: rest, options: PROBE_OPTIONS });
      return {
        command: 'probe',
        ...machineOf(values),
        executors: executorsOf(values) ?? KNOWN_EXECUTORS,
        json: values.json ?? false,
      };
    }
  } catch (error) {
    if (error instanceof WorkerError) throw error;
    // parseArgs goes on with advice about positional arguments.
    throw usage(`${errorText(error).split(/[.\n]/)[0] ?? ''}.`);
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
  const name = nameOf(values);
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

function nameOf({ name = hostname() }: { readonly name?: string }): string {
  if (name.length < 1 || name.length > 120) throw usage('--name: 1 to 120 characters.');
  return name;
}

function parseOffline(args: string[]): OfflineArguments {
  const { values, positionals } = parseArgs({ args, options: OFFLINE_OPTIONS, allowPositionals: true });
  const [work = null, ...more] = positionals;
  if (more.length > 0) throw usage('run-offline measures one work file at a time.');
  if (values.out === undefined || values.out === '') {
    throw usage('--out: name the file for the results, such as results.tgz.');
  }
  return {
    command: 'run-offline',
    work: work === null ? null : resolve(work),
    out: resolve(values.out),
    ...machineOf(values),
    executors: executorsOf(values),
    name: nameOf(values),
    labels: parseLabels(values.label ?? []),
    credentials: values.credentials ?? null,
  };
}

/** Takes what `join` and `run` take. */
function parseInstall(args: string[]): InstallArguments {
  const { tokens } = parseArgs({ args, options: INSTALL_OPTIONS, allowPositionals: true, tokens: true });
  const isFlag = (name: string): boolean =>
    tokens.some((token) => token.kind === 'option' && token.name === name);
  const wordsOf = (options: object): string[] =>
    tokens.flatMap((token) => {
      if (token.kind === 'positional') return options === JOIN_OPTIONS ? [token.value] : [];
      if (token.kind !== 'option' || !Object.hasOwn(options, token.name)) return [];
      return token.value === undefined ? [token.rawName] : [token.rawName, token.value];
    });
  return {
    command: 'install',
    join: parseJoin(wordsOf(JOIN_OPTIONS)),
    service: isFlag('service'),
    run: !isFlag('no-run') && !isFlag('service'),
    runArguments: parseRun(wordsOf(RUN_OPTIONS)),
  };
}

function parseRun(args: string[]): RunArguments {
  const { values } = parseArgs({ args, options: RUN_OPTIONS });
  return {
    command: 'run',
    credentials: values.credentials ?? null,
    once: values.once ?? false,
    autoUpgrade: values['auto-upgrade'] ?? false,
    words: args,
    forMs: durationMs(values, 'for'),
    untilIdleMs: durationMs(values, 'until-idle'),
    anchors: wholeNumber(values, 'anchors', 0, MAX_ANCHORS),
    anchorsEvery: wholeNumber(values, 'anchors-every', 1, 10_000),
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
    return ConvSpecSchema.parse(JSON.parse(text));
  } catch {
    throw usage(`--spec: ${JSON.stringify(text)} is not the JSON object of a convolution.`);
  }
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

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };
/** Timers of Node hold no longer time. */
const LONGEST_MS = 24 * UNIT_MS.d;

/** Milliseconds; null when it is not given. */
function durationMs<Name extends string>(
  values: { readonly [key in Name]?: string },
  name: Name,
): number | null {
  const text = values[name];
  if (text === undefined) return null;
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  const ms = Number(match?.[1]) * UNIT_MS[(match?.[2] ?? 's') as keyof typeof UNIT_MS];
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  throw usage(`--${name}: a time such as 90s, 30m, 2h or 7d, up to 24d.`);
}
