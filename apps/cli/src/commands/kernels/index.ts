import type { Command } from 'commander';
import { addCommands } from '../../lazy.js';

export function kernelsCommand(command: Command): void {
  addCommands(command, [
    [
      'label',
      'say which kernel cuDNN runs for each convolution, without a GPU',
      async () => (await import('./label.js')).labelCommand,
    ],
    ['list', 'kernel maps of the coordinator', async () => (await import('./maps.js')).listCommand],
    [
      'export',
      'write the labels of a kernel map to a file',
      async () => (await import('./maps.js')).exportCommand,
    ],
    [
      'import',
      'give the coordinator labels that were made elsewhere',
      async () => (await import('./maps.js')).importCommand,
    ],
  ]);
}
