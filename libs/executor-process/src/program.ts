import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ExecutorError } from '@alphaflops/executor';
import { ProgramError, type ProgramErrorCode } from './error.js';
import { ReplyFrameSchema, RESULTS, type Method, type ProgramRequest, type Result } from './protocol.js';

/** The same file from `src` (tests) and from `dist`: a child always runs the build. */
const GUARD = fileURLToPath(new URL('../dist/guard.js', import.meta.url));

/** Largest reply. It is many times larger than a reply with 10,000 values. */
const MAX_LINE_CHARACTERS = 1 << 20;
const EXCERPT_CHARACTERS = 200;
const STDERR_CHARACTERS = 1500;
const SHUTDOWN_LIMIT_MS = 2000;
/** How long to wait for the last output of a program that ended. */
const LAST_WORDS_WAIT_MS = 500;

type Parameters<M extends Method> = Omit<Extract<ProgramRequest, { method: M }>, 'id' | 'method'>;

interface Pending {
  readonly id: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ProgramError) => void;
}

/** A running external program, with one request at a time. The first violation of the protocol ends it. */
export class Program {
  private readonly child: ChildProcess;
  private readonly closed: Promise<void>;
  private line = '';
  private stderr = '';
  private lastId = 0;
  private pending: Pending | null = null;
  private failure: ProgramError | null = null;

  /** @param command the program and its arguments */
  constructor(
    command: readonly string[],
    private readonly limitMs: number,
  ) {
    if (!existsSync(GUARD)) {
      throw new ExecutorError('not-built', `${GUARD} is missing: run "npm run build" first`);
    }
    this.child = fork(GUARD, command, { execArgv: [], stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
    // A write to a program that has just ended fails. Its exit code is reported separately.
    this.child.stdin?.on('error', () => undefined);
    this.child.on('error', () => undefined);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.read(text);
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_CHARACTERS);
    });
    this.closed = this.untilClosed();
  }

  /** Throws `ProgramError`. After any code except `refused`, the program has ended. */
  async ask<M extends Method>(
    method: M,
    parameters: Parameters<M>,
    limitMs = this.limitMs,
  ): Promise<Result<M>> {
    if (this.failure !== null) throw this.failure;
    if (this.pending !== null)
      throw new Error(`the request ${method} came before the answer to the last one`);
    const id = ++this.lastId;
    const answered = new Promise<unknown>((resolve, reject) => (this.pending = { id, resolve, reject }));
    const timer = setTimeout(() => {
      this.fail('time-limit', `did not answer "${method}" within ${limitMs} ms`);
    }, limitMs);
    this.child.stdin?.write(`${JSON.stringify({ id, method, ...parameters })}\n`);
    try {
      const parsed = RESULTS[method].safeParse(await answered);
      if (parsed.success) return parsed.data as Result<M>;
      const where = parsed.error.issues.map(
        ({ path, message }) => `${path.join('.') || 'result'}: ${message}`,
      );
      throw this.fail('garbage', `answered "${method}" wrongly: ${where.slice(0, 3).join('; ')}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Requests its end, and kills it if it does not end. */
  async close(): Promise<void> {
    if (this.failure === null && this.pending === null) {
      await this.ask('shutdown', {}, SHUTDOWN_LIMIT_MS).catch(() => undefined);
      this.child.stdin?.end();
    } else {
      this.kill();
    }
    const timer = setTimeout(() => {
      this.kill();
    }, SHUTDOWN_LIMIT_MS);
    await this.closed;
    clearTimeout(timer);
  }

  /** Node's own `close` event does not come after a `disconnect`. */
  private async untilClosed(): Promise<void> {
    const { child } = this;
    const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const read = Promise.all(outputs.map((stream) => once(stream, 'close')));
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    await Promise.race([read, wait(LAST_WORDS_WAIT_MS, undefined, { ref: false })]);
    this.fail('ended', `ended ${signal === null ? `with exit code ${String(code)}` : `by signal ${signal}`}`);
  }

  private read(text: string): void {
    const lines = (this.line + text).split('\n');
    this.line = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.receive(line);
    if (this.line.length > MAX_LINE_CHARACTERS) {
      const start = excerpt(this.line);
      this.line = '';
      this.fail(
        'garbage',
        `wrote a line of more than ${MAX_LINE_CHARACTERS} characters to standard output: ${start}`,
      );
    }
  }

  private receive(line: string): void {
    const frame = ReplyFrameSchema.safeParse(parseJson(line));
    const { pending } = this;
    if (!frame.success) {
      this.fail('garbage', `wrote to standard output what is no reply: ${excerpt(line)}`);
    } else if (frame.data.id !== pending?.id) {
      const awaited = pending === null ? 'none' : `that to request ${pending.id}`;
      this.fail('garbage', `replied to request ${frame.data.id}, but the reply awaited is ${awaited}`);
    } else {
      this.pending = null;
      if (frame.data.ok) pending.resolve(frame.data.result);
      else
        pending.reject(new ProgramError('refused', `the program says: ${excerpt(frame.data.error, 1500)}`));
    }
  }

  /** Only the first failure is reported. */
  private fail(code: ProgramErrorCode, what: string): ProgramError {
    if (this.failure === null) {
      const logTail = this.stderr.trim();
      const heard = logTail === '' ? '' : `; on standard error it last wrote: ${logTail}`;
      this.failure = new ProgramError(code, `the program ${what}${heard}`);
      this.kill();
    }
    this.pending?.reject(this.failure);
    this.pending = null;
    return this.failure;
  }

  /** The guard kills the program when the channel to it closes. */
  private kill(): void {
    if (this.child.connected) this.child.disconnect();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function excerpt(text: string, characters = EXCERPT_CHARACTERS): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}… (${text.length} characters)`;
}
