import { fork, spawn } from 'node:child_process';
import { defineWorkerCommand, recordOptions, type WorkerCommandName } from '@alphaflops/worker/commands';
import type { Command } from 'commander';
import { EXIT, EXIT_BY_SIGNAL } from './exit-code.js';
import { programOf } from './stack/programs.js';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;

/** Defines a command like the worker does. Its action runs the worker's program with the same arguments. */
export function forwardedCommand(command: Command, name: WorkerCommandName): void {
  const options = recordOptions(defineWorkerCommand(command, name));
  command.action(() => handOver([name, ...command.args, ...options()]));
}

/**
 * Behaves like the worker's program: the same arguments, output, signals and exit code. * * A worker that runs gets its
 * own process group, so that a Ctrl-C in the terminal reaches it only once, through this process. It also gets an IPC
 * channel. When the channel ends, the worker knows that this process was killed. A worker that joins may read the token
 * from the terminal.
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
