import type { Conditions, Measurement, Protocol } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import type { ExecutorReference } from './adapter-module.js';
import type { MeteredDevice } from './energy-meter.js';
import { ExecutorError } from './error.js';
import { ExecutorChild, type ChildAnswer } from './executor-child.js';

export interface ExecutorHostOptions extends ExecutorReference {
  readonly deviceUuid: string;
  /** What its energy meter is found by; absent: its energy is not measured. */
  readonly metered?: MeteredDevice;
}

/** Loading a driver and opening a device. */
const START_LIMIT_MS = 60_000;

/** A driver that takes longer to tell a clock or a temperature hangs. */
const CONDITIONS_LIMIT_MS = 10_000;

/** The child ends a spec by itself when it sees its limit coming; this much later it is taken to hang. */
const KILL_GRACE_MS = 1000;

/**
 * Measures in a child process, so that a convolution that blocks, crashes or hangs costs one spec and not the process
 * that holds the queue's lock. A child that ended is replaced for the next spec. One measurement at a time.
 */
export class ExecutorHost {
  private child: ExecutorChild | null = null;
  private isBusy = false;
  /** Power of the device while it computes nothing, in W, once somebody has read it. */
  idlePowerW: number | null = null;
  /** Best time of the reference convolution on this device, in ms: given from before, and renewed by each measurement. */
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

  /** State of the device now, with nothing running on it. Throws `ExecutorError`, as `measure` does. */
  async readConditions(signal?: AbortSignal): Promise<Conditions> {
    return await this.exclusively(async () => {
      const child = await this.ensureChild(signal);
      const answer = await child.ask({ kind: 'conditions' }, CONDITIONS_LIMIT_MS, signal);
      if (answer.kind === 'reply' && answer.reply.kind === 'conditions') return answer.reply.conditions;
      await this.dropChild();
      this.throwIfClosed();
      const code = answer.kind === 'aborted' ? 'aborted' : 'start-failed';
      throw new ExecutorError(code, `the device does not tell its state: ${whatHappened(answer)}`);
    });
  }

  /** Measures one spec, as {@link measureEach}. */
  async measure(spec: ConvSpec, protocol: Protocol, signal?: AbortSignal): Promise<Measurement> {
    for await (const measurement of this.measureEach([spec], protocol, signal)) return measurement;
    throw new Error('a spec has one measurement');
  }

  /**
   * Measures specs in their order. The child goes on to the next one by itself, so that the device does not wait while
   * results and questions pass between the processes. A spec that takes too long or brings the executor down has the
   * outcome `timeout` or `executor-crashed`, and another child measures those after it. Whoever leaves the loop early ends
   * the child, which may be measuring already what nobody waits for.
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
    /** Specs that the present child has got, or that are answered. */
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
      // A child that measures what nobody waits for has no use: its answers would be taken for others.
      if (sent > answered) await this.dropChild();
      this.isBusy = false;
    }
  }

  /** What a spec came to whose child is gone. @throws ExecutorError where that says nothing about the spec */
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

  /** Ends the child: politely when it is idle, at once when it measures (`measure` then throws `closed`). */
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

/** As much of a reason as a Measurement holds. */
const REASON_CHARACTERS = 2000;

function failure(outcome: Exclude<Measurement['outcome'], 'ok'>, reason: string): Measurement {
  return { outcome, reason: reason.slice(0, REASON_CHARACTERS), timing: null, conditions: null };
}

/** In words, how a request ended that did not end well. */
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
