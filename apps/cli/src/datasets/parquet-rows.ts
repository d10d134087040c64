import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DatasetError, type NumberedRow } from '@alphaflops/dataset';
import type { ParquetAnswer } from './parquet-thread.js';

export interface ParquetLimits {
  /** Time limit until the next rows. A row group with a million rows takes half a minute. */
  readonly ms: number;
  readonly heapMib: number;
}

const LIMITS: ParquetLimits = { ms: 120_000, heapMib: 4096 };

/** The same file for `src` (tests) and for `dist`, because a thread always runs on the build. */
const THREAD = new URL('../../dist/datasets/parquet-thread.js', import.meta.url);

/**
 * Like `readRowsParquet`, but in a separate thread. Runs inside the pages of a damaged or malicious file can claim more
 * values than the header of the page. They would keep the reader busy for minutes and use all memory.
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
    // The thread reads the next rows while the caller processes the previous ones.
    for (let pending = next(); ;) {
      const answer = await pending;
      if ('problems' in answer) throw new DatasetError(path, answer.problems);
      if (answer.rows.length === 0) return;
      pending = next();
      // A reader that stops early does not wait for this answer.
      pending.catch(() => undefined);
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
    const message = `reading its next rows takes more than ${limit}: the file is damaged or malicious`;
    throw new DatasetError(path, [{ code: 'malformed', line: null, column: null, message }]);
  }
}
