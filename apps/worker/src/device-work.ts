import type { MeasureResult } from '@alphaflops/contracts';
import { ExecutorError } from '@alphaflops/executor';
import { type JobConsumer, PutBack } from '@alphaflops/queue';
import { countOutcomes, type MeasureBatch } from './batch.js';
import { messageOf } from './error.js';
import type { Log } from './log.js';
import type { Turns } from './turns.js';
import { backOffMs, type Wait } from './wait.js';

export type Departure = 'finish' | 'give-back';

export interface DeviceWorkOptions {
  /** Whose queues are served: the device class and the device. */
  readonly targetIds: readonly string[];
  readonly openConsumer: (
    targetId: string,
    handler: MeasureBatch,
    onError: (error: Error) => void,
  ) => Pick<JobConsumer<'measure'>, 'start' | 'finish' | 'giveBack' | 'uncollected'>;
  readonly measureBatch: MeasureBatch;
  /** Batches of one queue with results that lie in Redis; from so many on nothing is measured. */
  readonly mostUncollected?: number;
  /** Shared by all that drive the same physical device. */
  readonly turns: Turns;
  readonly wait: Wait;
  readonly log: Log;
}

/** How long no batch is taken after an executor could not be started, by how often it could not. */
const REST = { firstMs: 5_000, lastMs: 300_000 } as const;

/**
 * How often a batch may be begun before an executor that does not start counts as its failure: a machine that works may
 * take it instead, and if there is none, its samples say in the end why they are missing.
 */
const MOST_STARTS = 10;

/**
 * How long giving back may take. Longer, because Redis is away or has cut us off, and the batch comes back to the queue
 * by its lapsed lock.
 */
const GIVE_BACK_WITHIN_MS = 5_000;

/**
 * Some tens of MB in Redis, as a batch of 10 s is up to a few hundred kB, and more than lie there for a moment when as
 * many workers end a batch at once.
 */
const MOST_UNCOLLECTED = 500;
const LOOK_AGAIN_MS = 1_000;

/** One queue that is served. */
interface Seat {
  readonly consumer: ReturnType<DeviceWorkOptions['openConsumer']>;
  /** Fires when no further batch is begun: one that waits goes back, the one in hand may be finished. */
  readonly ending: AbortController;
  /** Fires when whatever it has or gets goes back. */
  readonly givingBack: AbortController;
  /** Resolves when that is done or has taken too long. */
  givenBack: Promise<void> | null;
}

/**
 * The batches of one device: from two queues, one at a time. Not taking batches means having no consumer at all, for a
 * paused one may still take the batch that it was waiting for.
 */
export class DeviceWork {
  private wanted = false;
  private seats: Seat[] = [];
  private inHand: Seat | null = null;
  /** Opening and closing, one after the other. */
  private changes: Promise<void> = Promise.resolve();
  private failedStarts = 0;
  private resting = new AbortController();
  private lastError = '';

  constructor(private readonly options: DeviceWorkOptions) {}

  get isMeasuring(): boolean {
    return this.inHand !== null;
  }

  /** Takes batches from now on, or once what was told to end has ended. */
  begin(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.resting = new AbortController();
    void this.afterwards(() => {
      this.open();
    });
  }

  /** Takes no further batch; resolves when the one in hand is finished or given back. May be hurried by a second call. */
  async end(how: Departure): Promise<void> {
    this.wanted = false;
    this.resting.abort();
    await this.close(how);
  }

  private open(): void {
    if (!this.wanted || this.seats.length > 0) return;
    for (const targetId of this.options.targetIds) {
      const seat: Seat = {
        ending: new AbortController(),
        givingBack: new AbortController(),
        givenBack: null,
        consumer: this.options.openConsumer(
          targetId,
          (job, context) => this.take(seat, job, context),
          (error) => {
            this.complain(error);
          },
        ),
      };
      this.seats.push(seat);
      seat.consumer.start().catch((error: unknown) => {
        if (this.seats.includes(seat)) this.complain(error);
      });
    }
  }

  private close(how: Departure): Promise<void> {
    const seats = this.seats;
    // A batch that waits for its turn is nobody's batch in hand: it goes back in any case.
    const closing = seats.map((seat) => {
      seat.ending.abort();
      if (how === 'finish' && seat === this.inHand) return this.finish(seat);
      return (seat.givenBack ??= this.giveBack(seat));
    });
    return this.afterwards(async () => {
      for (const closed of await Promise.allSettled(closing)) {
        if (closed.status === 'rejected') this.complain(closed.reason);
      }
      this.seats = this.seats.filter((seat) => !seats.includes(seat));
    });
  }

  /** However long it takes, also for Redis to take the result; unless it is hurried. */
  private async finish(seat: Seat): Promise<void> {
    const hurried = new Promise((resolve) => {
      seat.givingBack.signal.addEventListener('abort', resolve, { once: true });
    });
    await Promise.race([seat.consumer.finish(), hurried]);
    await seat.givenBack;
  }

  private async giveBack(seat: Seat): Promise<void> {
    const { wait, log } = this.options;
    const hadBatch = seat === this.inHand;
    seat.givingBack.abort();
    const done = new AbortController();
    const given = seat.consumer.giveBack().finally(() => {
      done.abort();
    });
    await Promise.race([given, wait(GIVE_BACK_WITHIN_MS, done.signal)]);
    if (hadBatch && !done.signal.aborted) {
      log.warn('The queue does not answer; the batch in hand comes back to it by itself in a moment.');
    }
  }

  private async take(seat: Seat, ...[job, context]: Parameters<MeasureBatch>): Promise<MeasureResult> {
    const waiting = AbortSignal.any([context.signal, seat.ending.signal]);
    const batch = { isBegun: false };
    try {
      await this.untilCollected(seat, waiting);
      return await this.options.turns.take(waiting, async () => {
        if (waiting.aborted) throw new Error('taken away before it was begun');
        batch.isBegun = true;
        this.inHand = seat;
        try {
          return await this.measure(job, context);
        } finally {
          this.inHand = null;
        }
      });
    } catch (error) {
      if (!batch.isBegun && seat.ending.signal.aborted) throw new PutBack('the worker takes no batches now');
      throw error;
    }
  }

  /**
   * Where results lie in the queue because the store is slow or away, no more are made: Redis keeps them in memory, and
   * they are lost with it.
   */
  private async untilCollected({ consumer }: Seat, signal: AbortSignal): Promise<void> {
    const { mostUncollected = MOST_UNCOLLECTED, wait, log } = this.options;
    let isWaiting = false;
    while (!signal.aborted) {
      try {
        const lying = await orAborted(consumer.uncollected(), signal);
        if (lying === null) return;
        if (lying < mostUncollected) {
          if (isWaiting) log.info('Results are collected again; measuring goes on.');
          return;
        }
        if (!isWaiting) {
          log.warn('Results are not collected: the store is slow or away. Nothing is measured meanwhile.', {
            lying,
          });
        }
        isWaiting = true;
      } catch (error) {
        // Not the fault of the batch, which would have an attempt less.
        this.complain(error);
      }
      await wait(LOOK_AGAIN_MS, signal);
    }
  }

  private async measure(...[job, context]: Parameters<MeasureBatch>): Promise<MeasureResult> {
    const { log, measureBatch } = this.options;
    const fields = { campaign: job.campaignId, batch: job.batchIndex, n: job.slots.length };
    const startedMs = performance.now();
    const seconds = () => Number(((performance.now() - startedMs) / 1000).toFixed(1));
    try {
      const result = await measureBatch(job, context);
      this.failedStarts = 0;
      log.info('measured', { ...fields, outcomes: countOutcomes(result), seconds: seconds() });
      return result;
    } catch (error) {
      if (context.signal.aborted) {
        log.info('given back', { ...fields, seconds: seconds() });
      } else {
        log.error(`not measured: ${messageOf(error)}`, { ...fields, seconds: seconds() });
        if (error instanceof ExecutorError) {
          this.rest();
          if (context.attempt < MOST_STARTS) throw new PutBack(error.message);
        }
      }
      throw error;
    }
  }

  /** A machine whose executor does not start would fail every batch of the queue in no time. */
  private rest(): void {
    this.failedStarts += 1;
    const restMs = backOffMs(this.failedStarts, REST.firstMs, REST.lastMs);
    this.options.log.warn('The executor does not start; no batch is taken for a while.', {
      seconds: restMs / 1000,
    });
    const { signal } = this.resting;
    void this.close('finish');
    void this.afterwards(() => this.options.wait(restMs, signal));
    void this.afterwards(() => {
      this.open();
    });
  }

  /** One line for each new complaint: a Redis that is away says the same thing many times a minute. */
  private complain(error: unknown): void {
    const message = messageOf(error);
    if (message === this.lastError) return;
    this.lastError = message;
    this.options.log.warn(`queue: ${message}`);
  }

  private afterwards(step: () => void | Promise<void>): Promise<void> {
    this.changes = this.changes.then(step);
    return this.changes;
  }
}

/** Null when the signal fires first: a queue that does not answer keeps nobody here. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      resolve(null);
    };
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
