import { setTimeout } from 'node:timers/promises';
import { type Child, describeEnding, type Ending } from './child.js';

export interface SupervisorOptions {
  /** For people. */
  readonly name: string;
  readonly launch: () => Child;
  readonly say: (line: string) => void;
  /** Why a child that ended by itself is not to be started again; null: it is. */
  readonly leftForGood?: (ending: Ending) => Promise<string | null>;
  /** First pause before it is started again; each further one is twice as long. */
  readonly pauseMs?: number;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Keeps a child running: started again, after a growing pause, when it ends by itself. */
export class Supervisor {
  private readonly stopping = new AbortController();
  private readonly kept: Promise<void>;

  /** @param child the first one, running already */
  constructor(
    private child: Child,
    private readonly options: SupervisorOptions,
  ) {
    this.kept = this.keep();
  }

  /** Asks the child to end, and resolves when it has. */
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
      // One that has kept going for long is no longer the one that failed again and again.
      if (Date.now() - startedAt > LONGEST_PAUSE_MS) pause = pauseMs;
      say(
        `The ${name} ${describeEnding(ending)}; it is started again in ${pause / 1000} s (log: ${this.child.logFile}).`,
      );
      await setTimeout(pause, undefined, { signal }).catch(() => undefined);
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may have come during the pause
      if (signal.aborted) return;
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      this.child = launch();
    }
  }
}
