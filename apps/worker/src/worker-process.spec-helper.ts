import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The built program: `npm run build`, or `tsc -b apps/worker`, comes before these tests. */
export const WORKER_MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const ENVIRONMENT = {
  ...process.env,
  ALPHAFLOPS_LOG_JSON: 'true',
  ALPHAFLOPS_LOG_LEVEL: 'log',
  ALPHAFLOPS_TEST_ADAPTER: '@alphaflops/executor/testing',
};

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A running `worker run` from outside: its log lines, its processes, its end. */
export class WorkerProcess {
  readonly lines: LogLine[] = [];
  stderr = '';
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  private readonly changes = new EventEmitter();

  private constructor(readonly process: ChildProcess) {
    if (process.stdout === null || process.stderr === null) throw new Error('no pipes');
    createInterface(process.stdout).on('line', (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
      this.changes.emit('change');
    });
    process.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    // Not the event 'close', which Node never emits once the IPC channel was closed from here.
    this.ended = Promise.all([
      once(process, 'exit'),
      once(process.stdout, 'close'),
      once(process.stderr, 'close'),
    ]).then(([[code, signal]]) => {
      this.changes.emit('change');
      return (code ?? signal) as number | NodeJS.Signals;
    });
  }

  static start(credentialsFile: string): WorkerProcess {
    return new WorkerProcess(
      spawn(process.execPath, [WORKER_MAIN, 'run', '--credentials', credentialsFile], {
        env: ENVIRONMENT,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      }),
    );
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error('the worker has not started');
    return this.process.pid;
  }

  /** The first line whose message matches; rejects when the program ends without one. */
  async line(message: RegExp): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find((line) => message.test(line.message));
      if (found !== undefined) return found;
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        await this.ended;
        if (this.lines.some((line) => message.test(line.message))) continue;
        throw new Error(`no line ${String(message)} before the end:\n${this.output()}`);
      }
      await once(this.changes, 'change');
    }
  }

  /** Process ids of the executors. */
  async childPids(): Promise<number[]> {
    const { output } = await runProgram('pgrep', ['-P', String(this.pid)]);
    return output.split('\n').filter(Boolean).map(Number);
  }

  output(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), this.stderr].join('\n');
  }
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  input = '',
): Promise<{ exitCode: number; output: string }> {
  return await new Promise((resolve) => {
    const child = execFile(program, args, { env: ENVIRONMENT }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
    });
    child.stdin?.end(input);
  });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
