import { setTimeout } from 'node:timers/promises';
import { type Child, describeEnding, type Ending } from './child.js';

export interface SupervisorOptions {
  /** Name for messages. */
  readonly name: string;
  readonly launch: () => Child;
  readonly say: (line: string) => void;
  /** The reason why a child that ended by itself is not started again; null: it is started again. */
  readonly leftForGood?: (ending: Ending) => Promise<string | null>;
  /** First pause before the child is started again. Each further pause is twice as long. */
  readonly pauseMs?: number;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Keeps a child running. If it ends by itself, it is started again after a growing pause. */
export class Supervisor {
  private readonly stopping = new AbortController();
  private readonly kept: Promise<void>;

  /** @param child the first child, which runs already */
  constructor(
    private child: Child,
    private readonly options: SupervisorOptions,
  ) {
    this.kept = this.keep();
  }

  /** Requests the end of the child, and resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.stopping.abort();
    this.child.signal(signal);
    await this.kept;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal);
  }

  private async keep(): Promise<void> {
    const { name, launch, say, leftForGood, pauseMs = FIRST_PAUSE_MS } = this.options;
    const { signal } = this.stopping;
    let pause = pauseMs;
    for (;;) {
      const startedAt = Date.now();
      const ending = await this.child.ended;
      if (signal.aborted) return;
      const reason = (await leftForGood?.(ending)) ?? null;
      if (reason !== null) {
        say(reason);
        return;
      }
      // After a long run, earlier failures no longer count.
      if (Date.now() - startedAt > LONGEST_PAUSE_MS) pause = pauseMs;
      say(
        `The ${name} ${describeEnding(ending)}; it is started again in ${pause / 1000} s (log: ${this.child.logFile}).`,
      );
      await setTimeout(pause, undefined, { signal }).catch(() => undefined);
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may have changed during the pause
      if (signal.aborted) return;
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      this.child = launch();
    }
  }
}
