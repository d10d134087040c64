import type { Conditions, Measurement, Protocol } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import type { ExecutorReference } from './adapter-module.js';
import type { MeteredDevice } from './energy-meter.js';
import { ExecutorError } from './error.js';
import { ExecutorChild, type ChildAnswer } from './executor-child.js';

export interface ExecutorHostOptions extends ExecutorReference {
  readonly deviceUuid: string;
  /** Properties that determine its energy meter; absent: its energy is not measured. */
  readonly metered?: MeteredDevice;
}

/** Time limit for loading a driver and opening a device. */
const START_LIMIT_MS = 60_000;

/** Time limit for reading conditions. A driver that takes longer hangs. */
const CONDITIONS_LIMIT_MS = 10_000;

/** The child ends a spec itself near its time limit. This much later, the parent treats it as hanging. */
const KILL_GRACE_MS = 1000;

/**
 * Measures in a child process. So a convolution that blocks, crashes or hangs ends one spec, and not the process that holds the
 * queue's lock. After a child ends, the next spec gets a new one. There is one measurement at a time.
 */
export class ExecutorHost {
  private child: ExecutorChild | null = null;
  private isBusy = false;
  /** Power of the idle device in W; null until it is read. */
  idlePowerW: number | null = null;
  /** Undisturbed time of the reference convolution on this device, in ms: initially from an earlier process, updated by each measurement. */
  undisturbedReferenceMs: number | null = null;
  private isClosed = false;

  constructor(private readonly options: ExecutorHostOptions) {}

  /** Process id of the running child, if any. */
  get childPid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts the child and opens the device; `measure` does so by itself. Throws `ExecutorError('start-failed')`. */
  async start(signal?: AbortSignal): Promise<void> {
    await this.exclusively(() => this.ensureChild(signal));
  }

  /** Present state of the idle device. Throws `ExecutorError`, as `measure` does. */
  async readConditions(signal?: AbortSignal): Promise<Conditions> {
    return await this.exclusively(async () => {
      const child = await this.ensureChild(signal);
      const answer = await child.ask({ kind: 'conditions' }, CONDITIONS_LIMIT_MS, signal);
      if (answer.kind === 'reply' && answer.reply.kind === 'conditions') return answer.reply.conditions;
      await this.dropChild();
      this.throwIfClosed();
      const code = answer.kind === 'aborted' ? 'aborted' : 'start-failed';
      throw new ExecutorError(code, `the device does not report its state: ${whatHappened(answer)}`);
    });
  }

  /** Measures one spec, as {@link measureEach}. */
  async measure(spec: ConvSpec, protocol: Protocol, signal?: AbortSignal): Promise<Measurement> {
    for await (const measurement of this.measureEach([spec], protocol, signal)) return measurement;
    throw new Error('a spec has one measurement');
  }

  /**
   * Measures specs in their order. The child starts the next spec without waiting for a request, so that the device is not
   * idle while results and requests pass between the processes. A spec that takes too long or ends the executor has the
   * outcome `timeout` or `executor-crashed`, and a new child measures the remaining specs. If the caller leaves the loop
   * early, the child is ended, because it may already measure the next spec.
   *
   * @throws ExecutorError `start-failed` when no child can be started, `broken-installation` when the library cannot
   * measure anything here, `aborted` as soon as `signal` has ended the child, `busy` during another measurement,
   * `closed` after `close`
   */
  async *measureEach(
    specs: readonly ConvSpec[],
    protocol: Protocol,
    signal?: AbortSignal,
  ): AsyncGenerator<Measurement, void, undefined> {
    this.begin();
    /** Number of specs that are sent to the present child or answered. */
    let sent = 0;
    let answered = 0;
    try {
      while (answered < specs.length) {
        this.throwIfClosed();
        const child = await this.ensureChild(signal);
        for (const spec of specs.slice(sent, answered + 2)) {
          const { idlePowerW, undisturbedReferenceMs } = this;
          child.send({ kind: 'measure', spec, protocol, idlePowerW, undisturbedReferenceMs });
          sent += 1;
        }
        const limitMs = protocol.specTimeLimitMs + KILL_GRACE_MS;
        const answer = await child.answer(limitMs, signal);
        answered += 1;
        if (answer.kind === 'reply' && answer.reply.kind === 'measured') {
          this.undisturbedReferenceMs = answer.reply.undisturbedReferenceMs ?? this.undisturbedReferenceMs;
          yield answer.reply.measurement;
        } else {
          await this.dropChild();
          sent = answered;
          yield this.failureOf(answer, limitMs);
        }
      }
    } finally {
      // The child may still measure a spec without a waiting caller. Its answers would be mistaken for later ones.
      if (sent > answered) await this.dropChild();
      this.isBusy = false;
    }
  }

  /** Measurement of a spec whose child ended. @throws ExecutorError when the end was not caused by the spec */
  private failureOf(answer: ChildAnswer, limitMs: number): Measurement {
    if (answer.kind === 'aborted') {
      throw new ExecutorError('aborted', 'the measurement was aborted and the executor process ended');
    }
    if (answer.kind === 'time-limit') {
      return failure('timeout', `no result ${limitMs} ms after the start: the executor process was killed`);
    }
    this.throwIfClosed();
    if (answer.kind === 'reply' && answer.reply.kind === 'failed' && answer.reply.isBroken === true) {
      throw new ExecutorError('broken-installation', answer.reply.message);
    }
    return failure('executor-crashed', whatHappened(answer));
  }

  /** Ends the child. An idle child ends by itself; a child that measures is killed (`measure` then throws `closed`). */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.isBusy) await this.child?.kill();
    else await this.child?.close();
    this.child = null;
  }

  private begin(): void {
    this.throwIfClosed();
    if (this.isBusy) throw new ExecutorError('busy', 'the executor measures one spec at a time');
    this.isBusy = true;
  }

  private async exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.isBusy = false;
    }
  }

  private async ensureChild(signal?: AbortSignal): Promise<ExecutorChild> {
    if (this.child !== null) return this.child;
    const { executor, deviceUuid, metered = null } = this.options;
    this.child = ExecutorChild.fork(this.options);
    const answer = await this.child.ask({ kind: 'open', deviceUuid, metered }, START_LIMIT_MS, signal);
    if (answer.kind === 'reply' && answer.reply.kind === 'opened') return this.child;
    await this.dropChild();
    this.throwIfClosed();
    if (answer.kind === 'aborted')
      throw new ExecutorError('aborted', 'aborted before the executor had started');
    throw new ExecutorError('start-failed', `executor "${executor}" did not start: ${whatHappened(answer)}`);
  }

  private async dropChild(): Promise<void> {
    await this.child?.kill();
    this.child = null;
  }

  private throwIfClosed(): void {
    if (this.isClosed) throw new ExecutorError('closed', 'the executor is closed');
  }
}

/** Largest length of a reason in a Measurement. */
const REASON_CHARACTERS = 2000;

function failure(outcome: Exclude<Measurement['outcome'], 'ok'>, reason: string): Measurement {
  return { outcome, reason: reason.slice(0, REASON_CHARACTERS), timing: null, conditions: null };
}

/** Text for a request that failed. */
export function whatHappened(answer: ChildAnswer): string {
  switch (answer.kind) {
    case 'exited':
      return `the executor process ended ${answer.how}`;
    case 'reply':
      return answer.reply.kind === 'failed'
        ? answer.reply.message
        : `unexpected reply "${answer.reply.kind}"`;
    case 'time-limit':
      return 'the executor process did not answer in time';
    case 'aborted':
      return 'aborted';
  }
}
