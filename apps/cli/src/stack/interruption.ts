import { isLaunchedByNpm } from '@alphaflops/config';

/** Ctrl-C, SIGTERM, or the end of the terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const LAUNCHER_LOOK_MS = 1_000;

export interface Interruption {
  /** Fires with the first of them. */
  readonly signal: AbortSignal;
  /** Called with every further one. */
  onSecondSignal: () => void;
}

/** From now on these signals do not end the process, they fire; so does the end of the npm or npx that started us. */
export function interruption(program: NodeJS.EventEmitter = process): Interruption {
  const controller = new AbortController();
  const interruption = { signal: controller.signal, onSecondSignal: () => undefined };
  for (const signal of SIGNALS) {
    program.on(signal, () => {
      if (controller.signal.aborted) interruption.onSecondSignal();
      else controller.abort();
    });
  }
  // The reader of our output is gone, perhaps with its terminal: stop completely.
  process.stdout.removeAllListeners('error').on('error', () => {
    controller.abort();
  });
  if (isLaunchedByNpm()) {
    const launcher = process.ppid;
    setInterval(() => {
      if (process.ppid !== launcher) controller.abort();
    }, LAUNCHER_LOOK_MS).unref();
  }
  return interruption;
}

export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener('abort', () => {
        resolve();
      });
  });
}
