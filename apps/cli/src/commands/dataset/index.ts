import { Command } from 'commander';
import { datasetExportCommand } from './export.js';
import { datasetImportCommand } from './import.js';
import { datasetListCommand } from './list.js';
import { datasetVerifyCommand } from './verify.js';

export function datasetCommand(): Command {
  const command = new Command('dataset').description('frozen data sets: published, verified, imported');
  const all = [datasetExportCommand(), datasetImportCommand(), datasetVerifyCommand(), datasetListCommand()];
  for (const one of all) command.addCommand(one);
  return command;
}
