import type { Command } from 'commander';
import { forwardedCommand } from '../hand-over.js';

export function benchCommand(command: Command): void {
  forwardedCommand(command, 'bench');
}
