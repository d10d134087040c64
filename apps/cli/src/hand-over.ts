import { fork, spawn } from 'node:child_process';
import { defineWorkerCommand, recordOptions, type WorkerCommandName } from '@alphaflops/worker/commands';
import type { Command } from 'commander';
import { EXIT, EXIT_BY_SIGNAL } from './exit-code.js';
import { programOf } from './stack/programs.js';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;

/** Defines a command as the worker defines it; its action runs the worker's program with the same arguments. */
export function forwardedCommand(command: Command, name: WorkerCommandName): void {
  const options = recordOptions(defineWorkerCommand(command, name));
  command.action(() => handOver([name, ...command.args, ...options()]));
}

/**
 * Becomes the worker's program as far as one can see: its arguments, its output, its signals, its exit code.
 *
 * A worker that runs gets a process group of its own, so that a Ctrl-C in the terminal reaches it once, through us, and
 * an IPC channel, by whose end it knows that we were killed. One that joins may read the token from the terminal.
 */
async function handOver(args: readonly string[]): Promise<void> {
  const program = programOf('worker');
  const child =
    args[0] === 'run'
      ? fork(program, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      : spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      resolve(exitCode ?? (signal === null ? undefined : EXIT_BY_SIGNAL[signal]) ?? EXIT.failed);
    });
  });
}
