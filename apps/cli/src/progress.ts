import cliProgress from 'cli-progress';

export interface Progress {
  /** @param what text next to the bar that describes the work */
  update: (done: number, total: number, what?: string) => void;
  /** Removes the bar. */
  stop: () => void;
}

export const BAR = {
  barCompleteChar: '█',
  barIncompleteChar: '░',
  barsize: 30,
  hideCursor: true,
  stopOnComplete: false,
  gracefulExit: false,
} as const;

/**
 * A progress bar on standard error for long work. It appears only on a terminal, so that scripts get no additional
 * output.
 */
export function progressBar(stream: NodeJS.WriteStream = process.stderr): Progress {
  const bar = new cliProgress.SingleBar({
    ...BAR,
    stream,
    format: '  {bar} {percentage} % · {what}',
    clearOnComplete: true,
  });
  let isStarted = false;
  return {
    update: (done, total, what = '') => {
      if (!stream.isTTY || total <= 0) return;
      if (isStarted) bar.setTotal(total);
      else bar.start(total, done, { what });
      isStarted = true;
      bar.update(done, { what });
    },
    stop: () => {
      if (isStarted) bar.stop();
    },
  };
}

/** Runs work with a progress bar. The bar disappears when the work ends, also after an error. */
export async function withProgress<T>(work: (show: Progress['update']) => T | Promise<T>): Promise<T> {
  const { update, stop } = progressBar();
  try {
    return await work(update);
  } finally {
    stop();
  }
}
