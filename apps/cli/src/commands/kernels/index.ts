import type { Command } from 'commander';
import { addCommands } from '../../lazy.js';

export function kernelsCommand(command: Command): void {
  addCommands(command, [
    [
      'label',
      'find the kernel that cuDNN runs for each convolution, without a GPU',
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
      'send labels that were made elsewhere to the coordinator',
      async () => (await import('./maps.js')).importCommand,
    ],
  ]);
}
