import type { Labels } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { DEFAULT_ANCHORS, MAX_ANCHORS, PROTOCOLS } from '@alphaflops/measure';
import { Argument, type Command, Option } from 'commander';
import { ADDITIONS } from '../add/additions.js';
import { KNOWN_EXECUTORS, PREFERRED_EXECUTORS } from '../executors.js';
import {
  durationMs,
  executorName,
  executorNames,
  label,
  nonEmpty,
  spec,
  wholeNumber,
  workerName,
} from './values.js';

/** Options of all commands that drive devices, as Commander returns them. */
export interface MachineValues {
  readonly processCommand?: string;
  readonly find?: true;
  readonly tfjsNode?: string;
  readonly softwareAdapter?: true;
}
interface NodeValues extends MachineValues {
  readonly executor?: readonly string[];
  readonly label?: Labels;
  readonly name?: string;
  readonly credentials?: string;
}
export interface JoinValues extends NodeValues {
  readonly token: string;
  readonly ca?: string;
  readonly force?: true;
}
export interface RunValues {
  readonly credentials?: string;
  readonly once?: true;
  readonly for?: number;
  readonly untilIdle?: number;
  readonly autoUpgrade?: true;
  readonly anchors?: number;
  readonly anchorsEvery?: number;
}
export interface InstallValues extends JoinValues, RunValues {
  readonly service?: true;
  readonly run: boolean;
}
export interface OfflineValues extends NodeValues {
  readonly out: string;
}
export interface ProbeValues extends MachineValues {
  readonly executor?: readonly string[];
  readonly json?: true;
}
export interface BenchValues extends MachineValues {
  readonly spec: ConvSpec;
  readonly executor?: string;
  readonly device?: string;
  readonly protocol?: string;
  readonly energy?: true;
  readonly json?: true;
}

interface Definition {
  readonly description: string;
  readonly define: (command: Command) => Command;
  /** What follows the name of the command in its example. */
  readonly example: string;
}

const CREDENTIALS = 'worker.json in ALPHAFLOPS_DATA_DIR, else in ~/.config/alphaflops';
const URL_TEXT = 'address of the coordinator: http:// or https://, without a user or password';

/** The worker's commands. Each has a description, arguments, options and one example; none has an action. */
export const DEFINITIONS = {
  join: {
    description: 'enrol this machine with a coordinator',
    define: (command) => withJoin(command),
    example: 'https://coordinator:8080 --token af_join_… --label rack=7',
  },
  install: {
    description: 'install an unpacked worker, join, and run (used by join.sh)',
    define: (command) =>
      withRun(withJoin(command))
        .option('--service', 'run it as a systemd service of this user, in place of running it here')
        .option('--no-run', 'only install and join'),
    example: 'https://coordinator:8080 --token - --service',
  },
  run: {
    description: 'take batches from the coordinator and measure them, until stopped',
    define: (command) =>
      withRun(command).option(
        '--credentials <file>',
        `the file that join wrote (default: ${CREDENTIALS})`,
        nonEmpty,
      ),
    example: '--until-idle 30m',
  },
  'run-offline': {
    description: 'measure a file of campaign export-work, without a network',
    define: (command) =>
      withNode(
        command
          .argument(
            '[work]',
            'the file of campaign export-work; without it, the command only lists the devices',
          )
          .requiredOption(
            '--out <file>',
            'file for the results; a repeated command continues where the last one stopped',
            nonEmpty,
          ),
        'identity of this node; created when it is missing (default: offline-node.pem in the same folder as worker.json)',
      ),
    example: 'work.tgz --out results.tgz',
  },
  probe: {
    description: 'list the devices and executors of this machine, without a coordinator',
    define: (command) =>
      withMachine(
        command.addOption(executorOption('probe only this executor; may be repeated (default: all)')),
      ).option('--json', 'print JSON'),
    example: '--executor cudnn --json',
  },
  bench: {
    description: 'time one convolution on this machine, like a worker',
    define: (command) =>
      withMachine(
        command
          .requiredOption(
            '--spec <spec>',
            'the convolution: b1-h56-w56-i64-o128-k3x3-s1-g1-f32, or height=56,width=56,…',
            spec,
          )
          .addOption(
            new Option(
              '--executor <name>',
              `the executor (default: process with --process-command, else the first that works of ${PREFERRED_EXECUTORS.join(', ')})`,
            )
              .choices(KNOWN_EXECUTORS)
              .argParser(executorName),
          )
          .option('--device <uuid>', 'the device (default: the first device of the executor)')
          .addOption(
            new Option(
              '--protocol <name>',
              'how to time it (default: gpu on GPUs, cpu on processors)',
            ).choices(Object.keys(PROTOCOLS)),
          ),
      )
        .option('--energy', 'also measure its energy, if the device has an energy counter')
        .option('--json', 'print JSON: the device, and the measurement in the form of the store')
        .addHelpText('after', '\nThe exit code is 1 when the outcome is not ok.'),
    example: '--spec h56-w56-i64-o128-k3x3',
  },
  add: {
    description: 'download a part that a worker of join.sh does not contain',
    define: (command) => command.addArgument(new Argument('<part>', 'the part').choices(ADDITIONS)),
    example: 'cudnn',
  },
  uninstall: {
    description: 'remove a worker of join.sh, its credentials and its service',
    define: (command) =>
      command.option('--credentials <file>', `its credentials (default: ${CREDENTIALS})`, nonEmpty),
    example: '',
  },
} as const satisfies Readonly<Record<string, Definition>>;

export type WorkerCommandName = keyof typeof DEFINITIONS;
export const WORKER_COMMANDS = Object.keys(DEFINITIONS) as readonly WorkerCommandName[];

function withJoin(command: Command): Command {
  return withNode(
    command
      .argument('<url>', URL_TEXT)
      .requiredOption(
        '--token <token>',
        'join token from alphaflops worker token; - reads it from standard input',
        nonEmpty,
      ),
    `where to keep the credentials (default: ${CREDENTIALS})`,
  )
    .option(
      '--ca <file>',
      'certificates (PEM) to trust at the coordinator; kept with the credentials (default: ALPHAFLOPS_CA)',
      nonEmpty,
    )
    .option('--force', 'replace the credentials of another coordinator');
}

function withNode(command: Command, credentials: string): Command {
  const executor = executorOption(
    `measure through this executor; may be repeated (default: process with --process-command, and the first that works of ${PREFERRED_EXECUTORS.join(', ')})`,
  );
  return withMachine(command.addOption(executor))
    .option('--label <key=value>', 'label of this worker; may be repeated (default: no labels)', label)
    .option('--name <name>', 'name of this worker, 1 to 120 characters (default: the host name)', workerName)
    .option('--credentials <file>', credentials, nonEmpty);
}

function withMachine(command: Command): Command {
  return command
    .option(
      '--process-command <command>',
      'command line of the program of executor process, which is then used too',
      nonEmpty,
    )
    .option(
      '--find',
      'executor cudnn times its engines and uses the fastest, not the one that cuDNN expects to be the fastest',
    )
    .option(
      '--tfjs-node <folder>',
      'where executors tfjs-node and tfjs-node-gpu are installed (default: the packages of the worker)',
      nonEmpty,
    )
    .option(
      '--software-adapter',
      'executor tfjs-webgpu computes on the processor, through a software Vulkan driver',
    );
}

function withRun(command: Command): Command {
  const { gpu, cpu } = DEFAULT_ANCHORS;
  return command
    .option('--once', 'stop after one batch')
    .option(
      '--for <time>',
      'stop after this time: 90s, 30m, 2h or 7d, up to 24d (default: no limit)',
      durationMs,
    )
    .option(
      '--until-idle <time>',
      'stop after this time without work: 90s, 30m, 2h or 7d, up to 24d (default: no limit)',
      durationMs,
    )
    .option('--auto-upgrade', 'install the version of the coordinator when it changes (workers of join.sh)')
    .option(
      '--anchors <number>',
      `anchor convolutions that watch for drift, 0 to ${MAX_ANCHORS} (default: ${gpu.count} on GPUs, ${cpu.count} on processors)`,
      wholeNumber(0, MAX_ANCHORS),
    )
    .option(
      '--anchors-every <batches>',
      `time some anchors again after this number of batches, 1 to 10000 (default: ${gpu.everyBatches})`,
      wholeNumber(1, 10_000),
    );
}

function executorOption(description: string): Option {
  return new Option('--executor <name>', description).choices(KNOWN_EXECUTORS).argParser(executorNames);
}
