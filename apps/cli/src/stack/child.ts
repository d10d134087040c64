import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

export interface ChildOptions {
  readonly environment: NodeJS.ProcessEnv;
  /**
   * All output of the child is appended to this file, so that the child can still write after the end of this process.
   */
  readonly logFile: string;
  /** Standard input of the child; empty by default. */
  readonly input?: string;
}

export interface Ending {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

const TAIL_LINES = 5;

/**
 * A child Node process in its own process group. A Ctrl-C in the terminal reaches only this process, which decides when
 * to stop the child. When the IPC channel ends, the child knows that this process has ended for any reason.
 */
export class Child {
  readonly ended: Promise<Ending>;

  private constructor(
    private readonly process: ChildProcess,
    readonly logFile: string,
    private readonly logStart: number,
  ) {
    this.ended = new Promise((resolve) => {
      process.once('exit', (exitCode, signal) => {
        resolve({ exitCode, signal });
      });
      // The process could not be started.
      process.once('error', () => {
        if (process.pid === undefined) resolve({ exitCode: null, signal: null });
      });
    });
  }

  static start(program: string, args: readonly string[], options: ChildOptions): Child {
    const { environment, logFile, input } = options;
    const log = openSync(logFile, 'a', 0o600);
    try {
      const logStart = fstatSync(log).size;
      const child = fork(program, args, {
        detached: true,
        env: environment,
        stdio: [input === undefined ? 'ignore' : 'pipe', log, log, 'ipc'],
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
      return new Child(child, logFile, logStart);
    } finally {
      closeSync(log);
    }
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** The first message of the child, or the way it ended without one. */
  async firstMessage(): Promise<{ message: unknown } | { ending: Ending }> {
    const message = new Promise<{ message: unknown }>((resolve) => {
      this.process.once('message', (message) => {
        resolve({ message });
      });
    });
    return Promise.race([message, this.ended.then((ending) => ({ ending }))]);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Last lines of its log. */
  logTail(): string {
    const output = readFileSync(this.logFile).subarray(this.logStart).toString();
    return stripVTControlCharacters(output).trim().split('\n').slice(-TAIL_LINES).join('\n');
  }
}

export function describeEnding({ exitCode, signal }: Ending): string {
  if (signal !== null) return `was ended by ${signal}`;
  return exitCode === null ? 'could not be started' : `ended with exit code ${exitCode}`;
}
