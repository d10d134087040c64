import { styleText } from 'node:util';
import { VERSION } from '@alphaflops/contracts/version';
import { Command } from 'commander';
import { addCommands } from './lazy.js';

/** All commands, not loaded yet. Throws a CommanderError in cases where Commander would end the process. */
export function createProgram(): Command {
  const program = new Command('alphaflops')
    .description('Measured, versioned cost models of convolutions, per device.')
    .version(VERSION);
  withManners(program);
  program.commandsGroup('On files, with no server:');
  addCommands(program, [
    ['fit', 'fit a model to measured samples', async () => (await import('./commands/fit.js')).fitCommand],
    [
      'predict',
      'predict the cost of convolutions, with a model file or the newest model of a device class',
      async () => (await import('./commands/predict.js')).predictCommand,
    ],
    [
      'evaluate',
      'compute the errors of a model on measured samples',
      async () => (await import('./commands/evaluate.js')).evaluateCommand,
    ],
    [
      'plan',
      'choose convolutions to measure, by a design',
      async () => (await import('./commands/plan.js')).planCommand,
    ],
    [
      'simulate',
      'compare designs: replay a complete data set in place of a device',
      async () => (await import('./commands/simulate.js')).simulateCommand,
    ],
  ]);
  program.commandsGroup('On this machine, with no server:');
  addCommands(program, [
    [
      'bench',
      'time one convolution on this machine, like a worker',
      async () => (await import('./commands/bench.js')).benchCommand,
    ],
  ]);
  program.commandsGroup('With a coordinator:');
  addCommands(program, [
    [
      'up',
      'run coordinator, Redis and a worker on this machine, until stopped',
      async () => (await import('./commands/up.js')).upCommand,
    ],
    [
      'demo',
      'the whole path on this machine, in about two minutes: measure, fit, publish, predict',
      async () => (await import('./commands/demo.js')).demoCommand,
    ],
    ['worker', 'machines that measure', async () => (await import('./commands/worker.js')).workerCommand],
    [
      'device',
      'accelerators and their executors',
      async () => (await import('./commands/device.js')).deviceCommand,
    ],
    [
      'campaign',
      'measure convolutions on enrolled machines',
      async () => (await import('./commands/campaign.js')).campaignCommand,
    ],
    ['model', 'published models', async () => (await import('./commands/model.js')).modelCommand],
    ['samples', 'measured samples', async () => (await import('./commands/samples.js')).samplesCommand],
    [
      'dataset',
      'frozen data sets: published, verified, imported',
      async () => (await import('./commands/dataset/index.js')).datasetCommand,
    ],
    [
      'token',
      'tokens of the API: who may use it, and for what',
      async () => (await import('./commands/token.js')).tokenCommand,
    ],
    [
      'audit',
      'who did what, the newest first (for admins)',
      async () => (await import('./commands/audit.js')).auditCommand,
    ],
  ]);
  program.commandsGroup('On files, or with a coordinator:');
  addCommands(program, [
    [
      'kernels',
      'kernels of cuDNN for convolutions',
      async () => (await import('./commands/kernels/index.js')).kernelsCommand,
    ],
    [
      'report',
      'figures as one self-contained HTML file',
      async () => (await import('./commands/report.js')).reportCommand,
    ],
  ]);
  program.commandsGroup('On the store:');
  addCommands(program, [
    [
      'backup',
      'copy all data of this deployment to a file',
      async () => (await import('./commands/backup.js')).backupCommand,
    ],
    [
      'restore',
      'restore a backup into an empty store',
      async () => (await import('./commands/backup.js')).restoreCommand,
    ],
    [
      'migrate',
      'move all data of a deployment from one store to another',
      async () => (await import('./commands/migrate.js')).migrateCommand,
    ],
  ]);
  program.commandsGroup('For the shell:');
  addCommands(program, [
    [
      'completion',
      'print a script that completes commands, options and files in your shell',
      async () => (await import('./completion.js')).completionCommand,
    ],
    // The scripts call this command at every Tab. The name comes from tabtab.
    [
      'completion-server',
      '',
      async () => (await import('./completion.js')).completionServerCommand,
      { hidden: true },
    ],
  ]);
  return program;
}

/** Settings that all commands inherit. */
function withManners(program: Command): void {
  program
    // Commander would end the process itself and skip our exit codes.
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError('Usage and an example: the same command with --help.')
    // Commander removes the colours if there is no terminal, or if NO_COLOR is set.
    .configureHelp({ styleTitle: (title) => styleText('bold', title, { validateStream: false }) });
}
