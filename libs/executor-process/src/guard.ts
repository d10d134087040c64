/**
 * `guard.js PROGRAM ARGUMENTS…`, forked with an IPC channel: runs the program on its own standard streams and ends
 * with its exit code. When the channel closes for any reason, the guard kills the program's whole process group at once. So no
 * hanging program keeps a device after the executor's process was killed.
 */
import { spawn } from 'node:child_process';

const [program, ...args] = process.argv.slice(2);
if (program === undefined || process.send === undefined) {
  process.stderr.write('guard is forked, with a program and its arguments\n');
  process.exit(2);
}

// Only the worker reacts to Ctrl-C or a supervisor's stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const child = spawn(program, args, { stdio: 'inherit', detached: true });

const killGroup = (): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The process has already ended.
  }
};

process.on('disconnect', () => {
  killGroup();
  process.exit(0);
});
child.on('error', (error: NodeJS.ErrnoException) => {
  // One folder of PATH that this user may not read turns "not found" into EACCES.
  const isSearched = !program.includes('/') && ['ENOENT', 'EACCES'].includes(error.code ?? '');
  const reason = isSearched
    ? `there is no such program in the folders of PATH that this user may read (${error.code ?? ''})`
    : error.message;
  process.stderr.write(`${program} cannot be started: ${reason}\n`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  killGroup(); // Also its own child processes.
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
