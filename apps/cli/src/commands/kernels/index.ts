import type { Command } from 'commander';
import { addCommands } from '../../lazy.js';

export function kernelsCommand(command: Command): void {
  addCommands(command, [
    [
      'label',
      'say which kernel cuDNN runs for each convolution, without a GPU',
      async () => (await import('./label.js')).labelCommand,
    ],
  ]);
}
