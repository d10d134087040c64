import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ExecutorReference } from './adapter-module.js';
import { ExecutorError } from './error.js';
import { ReplySchema, type Reply, type Request } from './messages.js';

/** The same file from `src` (tests) and from `dist`: a child always runs the build. */
const CHILD_MAIN = fileURLToPath(new URL('../dist/child-main.js', import.meta.url));

const STDERR_CHARACTERS = 1500;
/** How long the parent waits for the last output of a process that ended. */
const STDERR_WAIT_MS = 500;
const CLOSE_LIMIT_MS = 5000;

/** How a request to the child ended. */
export type ChildAnswer =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** `isKilled`: a user or the kernel (when memory is short) killed the process. No process does that to itself. */
  | { readonly kind: 'exited'; readonly how: string; readonly isKilled: boolean }
  | { readonly kind: 'time-limit' }
  | { readonly kind: 'aborted' };

/** One forked executor process, for its parent. */
export class ExecutorChild {
  private stderr = '';
  /** Replies for which no caller waits yet, and the waiting callers. */
  private readonly replies: Reply[] = [];
  private onReply: ((reply: Reply) => void) | null = null;
  private readonly exited: Promise<ChildAnswer & { kind: 'exited' }>;

  private constructor(private readonly process: ChildProcess) {
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_CHARACTERS);
    });
    // A write to a child that has just ended fails. Its exit is reported separately.
    process.on('error', () => undefined);
    process.on('message', (message) => {
      this.take(message);
    });
    this.exited = this.untilExit();
  }

  /** Throws `ExecutorError('not-built')` when the child's program is missing. */
  static fork({ module, executor, settings = {}, energy }: ExecutorReference): ExecutorChild {
    if (!existsSync(CHILD_MAIN)) {
      throw new ExecutorError('not-built', `${CHILD_MAIN} is missing: run "npm run build" first`);
    }
    const stdio: ('ignore' | 'pipe' | 'ipc')[] = ['ignore', 'ignore', 'pipe', 'ipc'];
    const argv = [JSON.stringify({ module, executor, settings, energy })];
    return new ExecutorChild(fork(CHILD_MAIN, argv, { execArgv: [], stdio }));
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Sends one request and waits for its answer. All earlier requests must have their answers. */
  async ask(request: Request, limitMs: number, signal?: AbortSignal): Promise<ChildAnswer> {
    this.send(request);
    return await this.answer(limitMs, signal);
  }

  /** Sends one request. The child answers requests in their order. */
  send(request: Request): void {
    if (this.process.connected) this.process.send(request);
  }

  /** Waits for the first of these: the answer to the oldest open request, the end of the child, the time limit, the signal. */
  async answer(limitMs: number, signal?: AbortSignal): Promise<ChildAnswer> {
    const done = new AbortController();
    const replied = new Promise<ChildAnswer>((resolve) => {
      const reply = this.replies.shift();
      if (reply !== undefined) resolve({ kind: 'reply', reply });
      else {
        this.onReply = (reply) => {
          resolve({ kind: 'reply', reply });
        };
      }
    });
    const late = new Promise<ChildAnswer>((resolve) => {
      const timer = setTimeout(() => {
        // After a pause of this process (a suspended machine, SIGSTOP) the timer comes before replies that lie in the pipe:
        // they are read first.
        setImmediate(() => {
          resolve({ kind: 'time-limit' });
        });
      }, limitMs);
      done.signal.addEventListener('abort', () => {
        clearTimeout(timer);
      });
    });
    const aborted = new Promise<ChildAnswer>((resolve) => {
      const onAbort = (): void => {
        resolve({ kind: 'aborted' });
      };
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener('abort', onAbort, { signal: done.signal });
    });
    try {
      return await Promise.race([replied, this.exited, late, aborted]);
    } finally {
      done.abort();
      this.onReply = null;
    }
  }

  /** Ends the child at once and waits for its end. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  /** Lets the child free its device and end by itself; kills it if it does not. */
  async close(): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    const timer = setTimeout(() => this.process.kill('SIGKILL'), CLOSE_LIMIT_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private async untilExit(): Promise<ChildAnswer & { kind: 'exited' }> {
    let isKilled = false;
    const ended = await new Promise<string>((resolve) => {
      this.process.once('exit', (code, signal) => {
        isKilled = signal === 'SIGKILL';
        resolve(signal === null ? `with exit code ${String(code)}` : `by signal ${signal}`);
      });
      this.process.once('error', (error) => {
        if (this.process.pid === undefined) resolve(`before it started: ${error.message}`);
      });
    });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, STDERR_WAIT_MS);
      this.process.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    const logTail = this.stderr.trim();
    const how = logTail === '' ? ended : `${ended}; it last wrote: ${logTail}`;
    return { kind: 'exited', how, isKilled };
  }

  private take(message: unknown): void {
    const parsed = ReplySchema.safeParse(message);
    const failed = { kind: 'failed', message: `malformed reply: ${String(parsed.error?.message)}` } as const;
    const reply = parsed.data ?? failed;
    const { onReply } = this;
    this.onReply = null;
    if (onReply === null) this.replies.push(reply);
    else onReply(reply);
  }
}
