import type { Command } from 'commander';
import { addCommands } from '../../lazy.js';

export function datasetCommand(command: Command): void {
  addCommands(command, [
    [
      'export',
      'freeze the good samples that match, and write them to a directory',
      async () => (await import('./export.js')).datasetExportCommand,
    ],
    [
      'import',
      'send samples that were measured elsewhere to the coordinator',
      async () => (await import('./import.js')).datasetImportCommand,
    ],
    [
      'verify',
      'check the directory of a data set: checksums, digest, signatures, ranges, duplicates',
      async () => (await import('./verify.js')).datasetVerifyCommand,
    ],
    [
      'list',
      'data sets of the coordinator, newest first',
      async () => (await import('./list.js')).datasetListCommand,
    ],
  ]);
}
