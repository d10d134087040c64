import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DatasetError, type NumberedRow } from '@alphaflops/dataset';
import type { ParquetAnswer } from './parquet-thread.js';

export interface ParquetLimits {
  /** Until the next rows; a row group of a million takes half a minute. */
  readonly ms: number;
  readonly heapMib: number;
}

const LIMITS: ParquetLimits = { ms: 120_000, heapMib: 4096 };

/** The same file from `src` (tests) and from `dist`: a thread always runs on the build. */
const THREAD = new URL('../../dist/datasets/parquet-thread.js', import.meta.url);

/**
 * As `readRowsParquet`, in a thread of its own: runs inside the pages of a file that was damaged, or made for it, can
 * claim more than any page says, and would keep its reader busy for minutes and take all memory.
 *
 * @throws DatasetError
 */
export async function* parquetRows(path: string, limits = LIMITS): AsyncGenerator<NumberedRow> {
  const thread = new Worker(THREAD, {
    workerData: path,
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMib },
  });
  const next = (): Promise<ParquetAnswer> => {
    thread.postMessage('next');
    return answerOf(thread, path, limits);
  };
  try {
    // The thread reads on while the rows before are looked at.
    for (let asked = next(); ;) {
      const answer = await asked;
      if ('problems' in answer) throw new DatasetError(path, answer.problems);
      if (answer.rows.length === 0) return;
      asked = next();
      // A reader that stops early does not wait for it.
      asked.catch(() => undefined);
      yield* answer.rows;
    }
  } finally {
    await thread.terminate();
  }
}

async function answerOf(
  thread: Worker,
  path: string,
  { ms, heapMib }: ParquetLimits,
): Promise<ParquetAnswer> {
  try {
    const [answer] = (await once(thread, 'message', { signal: AbortSignal.timeout(ms) })) as [ParquetAnswer];
    return answer;
  } catch (error) {
    const { name, code } = error as { name?: string; code?: string };
    if (name !== 'AbortError' && code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
    const limit = name === 'AbortError' ? `${ms / 1000} s` : `${heapMib} MiB of memory`;
    const message = `reading its next rows takes more than ${limit}: it is damaged, or made to do so`;
    throw new DatasetError(path, [{ code: 'malformed', line: null, column: null, message }]);
  }
}
