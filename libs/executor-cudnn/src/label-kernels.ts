import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ConvSpec } from '@alphaflops/conv';
import { ExecutorError } from '@alphaflops/executor';
import {
  type KernelLabel,
  type LabelOptions,
  type LabelReply,
  LabelReplySchema,
  type LabelRequest,
} from './label-messages.js';

/** The same file from `src` (tests) and from `dist`: a child always runs the build. */
const CHILD_MAIN = fileURLToPath(new URL('../dist/label-main.js', import.meta.url));
const SPECS_PER_REQUEST = 200;
const STDERR_CHARACTERS = 1500;

/** Requests kernels from cuDNN in a process of its own, without a GPU. */
export class LabelProcess {
  private stderr = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly ended: Promise<string>,
  ) {}

  /** The version of cuDNN, and the device. */
  cudnn = '';
  computeCapability = '';

  /** @throws ExecutorError `not-built`, `start-failed` with the reason in words */
  static async start(options: LabelOptions): Promise<LabelProcess> {
    if (!existsSync(CHILD_MAIN)) {
      throw new ExecutorError('not-built', `${CHILD_MAIN} is missing: run "npm run build" first`);
    }
    const child = fork(CHILD_MAIN, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const ended = new Promise<string>((resolve) => {
      child.on('exit', (code, signal) => {
        resolve(signal === null ? `with code ${code ?? 'unknown'}` : `by signal ${signal}`);
      });
    });
    const started = new LabelProcess(child, ended);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      started.stderr = (started.stderr + text).slice(-STDERR_CHARACTERS);
    });
    // A write to a child that has just ended fails. Its exit is reported separately.
    child.on('error', () => undefined);
    try {
      const opened = await started.ask({ kind: 'open', options });
      if (opened.kind !== 'opened')
        throw new ExecutorError('start-failed', 'the labelling process is confused');
      ({ cudnn: started.cudnn, computeCapability: started.computeCapability } = opened);
      return started;
    } catch (error) {
      started.close();
      throw error;
    }
  }

  /** The kernel of each spec, in order. @throws ExecutorError `start-failed` when cuDNN fails or ends the process */
  async *label(specs: Iterable<ConvSpec> | AsyncIterable<ConvSpec>): AsyncGenerator<KernelLabel> {
    let held: ConvSpec[] = [];
    for await (const spec of specs) {
      held.push(spec);
      if (held.length < SPECS_PER_REQUEST) continue;
      yield* await this.labelled(held);
      held = [];
    }
    if (held.length > 0) yield* await this.labelled(held);
  }

  close(): void {
    this.child.kill('SIGKILL');
  }

  private async labelled(specs: ConvSpec[]): Promise<KernelLabel[]> {
    const reply = await this.ask({ kind: 'label', specs });
    if (reply.kind === 'labelled') return reply.labels;
    throw new ExecutorError('start-failed', 'the labelling process is confused');
  }

  private async ask(request: LabelRequest): Promise<Exclude<LabelReply, { kind: 'failed' }>> {
    const replied = new Promise<LabelReply>((resolve) => {
      this.child.once('message', (message) => {
        resolve(LabelReplySchema.parse(message));
      });
    });
    const died = this.ended.then((how): LabelReply => {
      const words = this.stderr.trim() === '' ? '' : `: ${this.stderr.trim()}`;
      return { kind: 'failed', message: `cuDNN ended the process ${how}${words}` };
    });
    if (this.child.connected) this.child.send(request);
    const reply = await Promise.race([replied, died]);
    if (reply.kind === 'failed') throw new ExecutorError('start-failed', reply.message);
    return reply;
  }
}
