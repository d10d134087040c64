import cliProgress from 'cli-progress';

export interface Progress {
  /** @param what stands beside the bar: what is being done */
  update: (done: number, total: number, what?: string) => void;
  /** Takes the bar away. */
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
 * A bar on standard error for work that makes a person wait, when that is a terminal; nothing elsewhere, so that what
 * scripts read stays as it is.
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

/** Work with a bar, which is gone when the work has ended, well or not. */
export async function withProgress<T>(work: (show: Progress['update']) => T | Promise<T>): Promise<T> {
  const { update, stop } = progressBar();
  try {
    return await work(update);
  } finally {
    stop();
  }
}
