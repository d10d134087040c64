import { type LeaseRequest, WORKER_JOBS, type WorkerJobName, errorText } from '@alphaflops/contracts';
import { ExecutorError } from '@alphaflops/executor';
import type { Held, Leases } from './leases.js';
import type { Log, LogFields } from './log.js';
import type { Performed, Performer, Performers } from './performer.js';
import type { Turns } from './turns.js';
import { backOffMs, type Wait } from './wait.js';

/**
 * `finish`: the current batch is finished and its result is sent, without a time limit. `stop`: the same, but the
 * result is sent for at most 5 s. `give-back`: the batch is returned at once.
 */
export type Departure = 'finish' | 'stop' | 'give-back';

export interface DeviceWorkOptions {
  /** The targets whose queues are served: the device class and the device. */
  readonly targetIds: readonly string[];
  readonly performers: Performers;
  readonly leases: Pick<Leases, 'take' | 'bring' | 'giveBack' | 'fail'>;
  /** Shared by all executors of the same physical device. */
  readonly turns: Turns;
  readonly wait: Wait;
  readonly log: Log;
}

/** Pause without jobs after an executor could not be started, by the number of failures. */
const REST = { firstMs: 5_000, lastMs: 300_000 } as const;

/**
 * Number of attempts of a job before an executor that does not start counts as its failure. Until then, a working machine may
 * take the job instead. If no device can do it, its samples finally state why they are missing.
 */
const MAX_STARTS = 10;

/** Maximum number of results that are not stored yet: with more, nothing is measured, because this process can lose them. */
const MAX_UNSTORED = 2;

/** Time for which a stopping worker waits for the confirmation of its results and returned jobs. */
const HAND_OVER_WITHIN_MS = 5_000;

/** One time of taking jobs, from `begin` to `end`. */
interface Shift {
  /** Fires when no further job may begin: a waiting job is returned, and the current one may be finished. */
  readonly ending: AbortController;
  /** Fires when all jobs must be returned. */
  readonly leaving: AbortController;
  /** Fires when the worker stops waiting for a coordinator that does not answer. */
  readonly stopping: AbortController;
}

/** The jobs of one device, from two queues, one at a time. Each result is sent during the next job. */
export class DeviceWork {
  private readonly shifts = new Set<Shift>();
  private isWanted = false;
  private running: Promise<void> = Promise.resolve();
  private isInHand = false;
  private failedStarts = 0;

  constructor(private readonly options: DeviceWorkOptions) {}

  get isMeasuring(): boolean {
    return this.isInHand;
  }

  /** Takes jobs from now on, or after the previous shift has ended. */
  begin(): void {
    if (this.isWanted) return;
    this.isWanted = true;
    const shift: Shift = {
      ending: new AbortController(),
      leaving: new AbortController(),
      stopping: new AbortController(),
    };
    this.shifts.add(shift);
    this.running = this.running
      .then(() => this.work(shift))
      .catch((error: unknown) => {
        this.options.log.error(errorText(error));
      })
      .finally(() => this.shifts.delete(shift));
  }

  /** Takes no further job; resolves when the current one is stored or returned. A second call may shorten the wait. */
  async end(how: Departure): Promise<void> {
    this.isWanted = false;
    for (const { ending, leaving, stopping } of this.shifts) {
      if (how === 'give-back') leaving.abort();
      if (how !== 'finish') stopping.abort();
      ending.abort();
    }
    await this.running;
  }

  private async work({
    ending: { signal: ending },
    leaving: { signal: leaving },
    stopping: { signal: stopping },
  }: Shift): Promise<void> {
    const { leases, performers, targetIds, wait, log } = this.options;
    const jobs = WORKER_JOBS.filter((job) => performers[job] !== undefined);
    const request: LeaseRequest = { jobs, targetIds: [...targetIds] };
    const deliveries = new Set<Promise<void>>();
    let next: Promise<Held | null> | null = null;
    let asking = new AbortController();
    const takeNext = (): void => {
      if (next !== null) return;
      asking = new AbortController();
      next = leases.take(request, AbortSignal.any([ending, asking.signal]));
    };
    const taken = (): Promise<Held | null> | null => next;
    const isEnding = (): boolean => ending.aborted;
    while (!isEnding()) {
      takeNext();
      const held = await taken();
      next = null;
      if (held === null) continue;
      const { failedStarts } = this;
      const performed = await this.perform(held, { ending, leaving }, takeNext);
      if (performed !== null) {
        const delivery = leases.bring(held, performed, leaving).finally(() => deliveries.delete(delivery));
        deliveries.add(delivery);
      }
      if (this.failedStarts > failedStarts) {
        asking.abort();
        await this.rest(taken(), ending);
        next = null;
      }
      if (deliveries.size >= MAX_UNSTORED) {
        const room = Promise.race(deliveries);
        const isQuick = await Promise.race([room.then(() => true), wait(1_000, ending).then(() => false)]);
        if (!isQuick && !isEnding()) {
          log.warn(
            'Results are not stored: the store is slow or unreachable. Nothing is measured meanwhile.',
          );
          await Promise.race([room, fired(ending)]);
          if (!isEnding()) log.info('Results are stored again; measuring continues.');
        }
      }
    }
    const handedOver = Promise.all([...deliveries, this.returnUnbegun(taken())]).then(() => true);
    const isLate = fired(stopping)
      .then(() => wait(HAND_OVER_WITHIN_MS, NEVER))
      .then(() => false);
    if (await Promise.race([handedOver, isLate])) return;
    log.warn(
      'The coordinator does not answer: other workers measure the batches whose results it did not accept.',
    );
  }

  private async returnUnbegun(taken: Promise<Held | null> | null): Promise<void> {
    const held = await taken;
    if (held !== null) await this.options.leases.giveBack(held);
  }

  /**
   * Does one job when it is its turn. Null if there is no result because the job was returned, was lost, or has failed.
   */
  private async perform(
    held: Held,
    { ending, leaving }: { ending: AbortSignal; leaving: AbortSignal },
    takeNext: () => void,
  ): Promise<Performed<WorkerJobName> | null> {
    const { leases, turns } = this.options;
    const { lease, lost } = held;
    const signal = AbortSignal.any([lost, leaving]);
    let outcome: Performed<WorkerJobName> | Error | null = null;
    try {
      await turns.take(AbortSignal.any([lost, ending]), async () => {
        if (lost.aborted || ending.aborted) return;
        this.isInHand = true;
        outcome = await this.performNow(held, { attempt: lease.attempt, signal, takeNext });
      });
    } catch {
      // The lease was lost before its turn.
    } finally {
      this.isInHand = false;
    }
    const done = outcome as Performed<WorkerJobName> | Error | null;
    if (done !== null && !(done instanceof Error)) return done;
    if (lost.aborted) return null;
    if (done === null || signal.aborted) await leases.giveBack(held);
    else if (done instanceof ExecutorError && lease.attempt < MAX_STARTS) await leases.giveBack(held);
    else await leases.fail(held, done.message);
    return null;
  }

  private async performNow(
    { lease, lost }: Held,
    context: Parameters<Performer<WorkerJobName>['perform']>[1],
  ): Promise<Performed<WorkerJobName> | Error> {
    const { log, performers } = this.options;
    const performer: Performer<WorkerJobName> | undefined = performers[lease.job];
    if (performer === undefined) return new Error(`this device does not support ${lease.job} jobs`);
    const startedMs = performance.now();
    const fields = (): LogFields => ({
      ...performer.describe(lease.payload),
      seconds: Number(((performance.now() - startedMs) / 1000).toFixed(1)),
    });
    try {
      const performed = await performer.perform(lease.payload, context);
      this.failedStarts = 0;
      log.info(performer.done, { ...fields(), ...performed.summary });
      return performed;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (context.signal.aborted) {
        log.info(lost.aborted ? 'taken away: its lease has ended' : 'given back', fields());
      } else {
        log.error(`not ${performer.done}: ${errorText(error)}`, fields());
        if (error instanceof ExecutorError) this.failedStarts += 1;
      }
      return error;
    }
  }

  /** Without a pause, a machine whose executor does not start would quickly fail every job of the queue. */
  private async rest(next: Promise<Held | null> | null, ending: AbortSignal): Promise<void> {
    const { wait, log } = this.options;
    const restMs = backOffMs(this.failedStarts, REST.firstMs, REST.lastMs);
    log.warn('The executor does not start; no batch is taken for a while.', { seconds: restMs / 1000 });
    await this.returnUnbegun(next);
    await wait(restMs, ending);
  }
}

const NEVER = new AbortController().signal;

function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
