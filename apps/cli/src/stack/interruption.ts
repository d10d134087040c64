import { isLaunchedByNpm } from '@alphaflops/config';

/** Ctrl-C, SIGTERM, or the end of the terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const LAUNCHER_LOOK_MS = 1_000;

export interface Interruption {
  /** Fires at the first of them. */
  readonly signal: AbortSignal;
  /** Called for every further one. */
  onSecondSignal: () => void;
}

/**
 * From now on, these signals fire the abort signal and do not end the process. The end of the parent npm or npx also
 * fires it.
 */
export function interruption(program: NodeJS.EventEmitter = process): Interruption {
  const controller = new AbortController();
  const interruption = { signal: controller.signal, onSecondSignal: () => undefined };
  for (const signal of SIGNALS) {
    program.on(signal, () => {
      if (controller.signal.aborted) interruption.onSecondSignal();
      else controller.abort();
    });
  }
  // The reader of the output has ended, perhaps with its terminal: stop completely.
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
