import { styleText } from 'node:util';
import { VERSION } from '@alphaflops/contracts';
import { Command } from 'commander';
import { auditCommand } from './commands/audit.js';
import { backupCommand, restoreCommand } from './commands/backup.js';
import { benchCommand } from './commands/bench.js';
import { campaignCommand } from './commands/campaign.js';
import { datasetCommand } from './commands/dataset/index.js';
import { demoCommand } from './commands/demo.js';
import { deviceCommand } from './commands/device.js';
import { evaluateCommand } from './commands/evaluate.js';
import { fitCommand } from './commands/fit.js';
import { migrateCommand } from './commands/migrate.js';
import { modelCommand } from './commands/model.js';
import { planCommand } from './commands/plan.js';
import { predictCommand } from './commands/predict.js';
import { reportCommand } from './commands/report.js';
import { samplesCommand } from './commands/samples.js';
import { simulateCommand } from './commands/simulate.js';
import { tokenCommand } from './commands/token.js';
import { upCommand } from './commands/up.js';
import { workerCommand } from './commands/worker.js';
import { completionCommands } from './completion.js';

/** All commands. Throws a CommanderError where Commander would end the process. */
export function createProgram(): Command {
  const program = new Command('alphaflops')
    .description('Measured, versioned cost models of convolutions, per device.')
    .version(VERSION);
  program.commandsGroup('On files, with no server:');
  const onFiles = [fitCommand(), predictCommand(), evaluateCommand(), planCommand(), simulateCommand()];
  for (const command of onFiles) program.addCommand(command);
  program.commandsGroup('On this machine, with no server:');
  program.addCommand(benchCommand());
  program.commandsGroup('With a coordinator:');
  const online = [upCommand(), demoCommand(), workerCommand(), deviceCommand(), campaignCommand()];
  const access = [tokenCommand(), auditCommand()];
  for (const command of [...online, modelCommand(), samplesCommand(), datasetCommand(), ...access])
    program.addCommand(command);
  program.commandsGroup('On files, or with a coordinator:');
  program.addCommand(reportCommand());
  program.commandsGroup('On the store:');
  for (const command of [backupCommand(), restoreCommand(), migrateCommand()]) program.addCommand(command);
  program.commandsGroup('For the shell:');
  const { visible, hidden } = completionCommands(program);
  program.addCommand(visible).addCommand(hidden, { hidden: true });
  withManners(program);
  return program;
}

function withManners(command: Command): void {
  command
    // Commander's own way of ending the process would skip ours of telling exit codes.
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError('Usage and an example: the same command with --help.')
    // Commander takes the colours away again where there is no terminal, or NO_COLOR is set.
    .configureHelp({ styleTitle: (title) => styleText('bold', title, { validateStream: false }) });
  command.commands.forEach(withManners);
}
