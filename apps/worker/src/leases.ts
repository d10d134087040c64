import {
  type Lease,
  type LeaseRef,
  type LeaseRequest,
  type WorkerJobName,
  errorText,
} from '@alphaflops/contracts';
import type { CoordinatorClient } from './coordinator-client.js';
import { WorkerError } from './error.js';
import type { Log } from './log.js';
import type { Performed } from './performer.js';
import { backOffMs, type Wait } from './wait.js';

/** Leases last 8 s: two renewals may be lost. */
const RENEW_EVERY_MS = 2_500;
/** Delay before another request to a coordinator that does not answer, by the number of failures. */
const RETRY = { firstMs: 250, lastMs: 10_000 } as const;

/** A lease of this worker. It is renewed until it ends. */
export interface Held {
  readonly lease: Lease;
  /** Fires when the job belongs to another worker. */
  readonly lost: AbortSignal;
}

export interface LeasesOptions {
  readonly client: Pick<CoordinatorClient, 'take' | 'renew' | 'bring' | 'giveBack' | 'fail'>;
  readonly workerId: string;
  /** Called when the coordinator does not answer or refuses this worker. The heartbeat then finds the reason. */
  readonly onTrouble: () => void;
  readonly wait: Wait;
  readonly log: Log;
}

/**
 * The leases of this worker. It takes them, renews them, and sends their results, also after a long time without an
 * answer.
 */
export class Leases {
  private readonly held = new Map<string, { ref: LeaseRef; lost: AbortController }>();
  private readonly closing = new AbortController();
  private lastTrouble = '';

  constructor(private readonly options: LeasesOptions) {
    void this.renewUntilClosed();
  }

  /** Waits for a job; null when the signal fires first. */
  async take(request: LeaseRequest, signal: AbortSignal): Promise<Held | null> {
    const { client, workerId } = this.options;
    let failures = 0;
    const isLeaving = () => signal.aborted;
    while (!isLeaving()) {
      try {
        const lease = await client.take(workerId, request, signal);
        this.well();
        failures = 0;
        if (lease !== null) return this.hold(lease);
      } catch (error) {
        if (isLeaving()) break;
        failures += 1;
        await this.pause(failures, error, signal);
      }
    }
    return null;
  }

  /**
   * Sends the result of a job until it is stored or no longer needed.
   * @param signal stops the attempts and returns the job
   */
  async bring<N extends WorkerJobName>(
    { lease }: Held,
    performed: Performed<N>,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, workerId, log } = this.options;
    const ref = refOf(lease) as LeaseRef & { job: N };
    for (let failures = 0; ;) {
      try {
        await client.bring(workerId, ref, performed);
        this.well();
        break;
      } catch (error) {
        if (error instanceof WorkerError && error.code === 'lease-ended') {
          log.warn(`A result was dropped. ${error.message}`, { job: lease.id });
          break;
        }
        if (error instanceof WorkerError && error.code === 'rejected') {
          log.error(`A result cannot be stored. ${error.message}`, { job: lease.id });
          await this.end(lease, (it) => client.fail(workerId, it, error.message.slice(0, 2000)));
          return;
        }
        failures += 1;
        await this.pause(failures, error, signal);
      }
      if (signal.aborted) {
        await this.giveBack({ lease });
        return;
      }
    }
    this.held.delete(lease.token);
  }

  /** Another worker may do the job; no attempt is used up. */
  async giveBack({ lease }: Pick<Held, 'lease'>): Promise<void> {
    const { client, workerId } = this.options;
    await this.end(lease, (ref) => client.giveBack(workerId, ref));
  }

  async fail({ lease }: Held, reason: string): Promise<void> {
    const { client, workerId } = this.options;
    await this.end(lease, (ref) => client.fail(workerId, ref, reason.slice(0, 2000)));
  }

  close(): void {
    this.closing.abort();
  }

  private hold(lease: Lease): Held {
    const lost = new AbortController();
    this.held.set(lease.token, { ref: refOf(lease), lost });
    return { lease, lost: lost.signal };
  }

  /** One attempt: a job without renewals returns to its queue by itself. */
  private async end(lease: Lease, how: (ref: LeaseRef) => Promise<void>): Promise<void> {
    const { log } = this.options;
    this.held.delete(lease.token);
    try {
      await how(refOf(lease));
    } catch (error) {
      if (error instanceof WorkerError && error.code === 'lease-ended') return;
      log.warn(
        `The coordinator does not accept a returned job; the job returns to its queue by itself in a moment. ${errorText(error)}`,
        {
          job: lease.id,
        },
      );
    }
  }

  /** Does not wait for the answers, because a later renewal replaces a late one. */
  private async renewUntilClosed(): Promise<void> {
    const { signal } = this.closing;
    for (;;) {
      await this.options.wait(RENEW_EVERY_MS, signal);
      if (signal.aborted) return;
      void this.renew();
    }
  }

  private async renew(): Promise<void> {
    const { client, workerId, onTrouble } = this.options;
    const refs = [...this.held.values()].map(({ ref }) => ref);
    if (refs.length === 0) return;
    try {
      for (const token of await client.renew(workerId, refs)) {
        this.held.get(token)?.lost.abort();
        // With further renewals, it would count as a job in work.
        this.held.delete(token);
      }
    } catch {
      // The next answer shows whether they are lost. Until then the work continues.
      onTrouble();
    }
  }

  private async pause(failures: number, error: unknown, signal: AbortSignal): Promise<void> {
    const { onTrouble, wait, log } = this.options;
    onTrouble();
    const message = errorText(error);
    if (message !== this.lastTrouble) log.warn(`${message} The worker tries again until it gets an answer.`);
    this.lastTrouble = message;
    // A random delay, so that not all workers send at the same moment.
    await wait(backOffMs(failures, RETRY.firstMs, RETRY.lastMs) * (0.5 + Math.random()), signal);
  }

  private well(): void {
    if (this.lastTrouble === '') return;
    this.lastTrouble = '';
    this.options.log.info('Work continues: the coordinator answers.');
  }
}

function refOf({ job, targetId, id, token, attempt }: Lease): LeaseRef {
  return { job, targetId, id, token, attempt };
}
