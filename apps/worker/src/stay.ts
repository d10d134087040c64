/** When a worker leaves; without options, it runs until it is stopped. */
export interface StayOptions {
  /** Leave after the first batch. */
  readonly once: boolean;
  /** Leave after this time. */
  readonly forMs: number | null;
  /** Leave when nothing was measured for this time. */
  readonly untilIdleMs: number | null;
}

const LOOK_EVERY_MS = 250;

/** Knows when a worker has stayed as long as its options say. */
export class Stay {
  private readonly ended = new AbortController();
  private readonly timers: NodeJS.Timeout[] = [];
  private lastBusyMs = performance.now();

  constructor(private readonly options: StayOptions) {}

  /** Fires when the current batch must be the last; its reason is a text. */
  get over(): AbortSignal {
    return this.ended.signal;
  }

  /** @param isMeasuring whether the worker measures a batch now */
  begin(isMeasuring: () => boolean): void {
    const { forMs, untilIdleMs } = this.options;
    this.lastBusyMs = performance.now();
    if (forMs !== null)
      this.timers.push(
        setTimeout(() => {
          this.end('the time of --for is over');
        }, forMs),
      );
    if (untilIdleMs === null) return;
    const look = (): void => {
      if (isMeasuring()) this.lastBusyMs = performance.now();
      else if (performance.now() - this.lastBusyMs >= untilIdleMs)
        this.end('there was no work for the time of --until-idle');
    };
    this.timers.push(setInterval(look, Math.min(LOOK_EVERY_MS, untilIdleMs)));
  }

  /** A batch is measured. */
  batchDone(): void {
    this.lastBusyMs = performance.now();
    if (this.options.once) this.end('one batch is measured (--once)');
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  private end(reason: string): void {
    this.close();
    this.ended.abort(reason);
  }
}
