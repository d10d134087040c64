/** Runs in a separate thread. It reads one Parquet file and sends some of its rows for each request. */
import { parentPort, workerData } from 'node:worker_threads';
import { DatasetError, type NumberedRow, readRowsParquet } from '@alphaflops/dataset';
import { asyncBufferFromFile } from 'hyparquet';

/** The message to the main thread: rows (an empty list at the end), or the problems of the file. */
export type ParquetAnswer =
  { readonly rows: NumberedRow[] } | { readonly problems: DatasetError['problems'] };

const ROWS_AT_ONCE = 1_000;

const path = workerData as string;

async function* answers(): AsyncGenerator<ParquetAnswer> {
  try {
    let rows: NumberedRow[] = [];
    for await (const row of readRowsParquet(await asyncBufferFromFile(path), path)) {
      if (rows.push(row) < ROWS_AT_ONCE) continue;
      yield { rows };
      rows = [];
    }
    if (rows.length > 0) yield { rows };
    yield { rows: [] };
  } catch (error) {
    // A message between threads does not preserve the class of an error.
    if (!(error instanceof DatasetError)) throw error;
    yield { problems: error.problems };
  }
}

const ready = answers();
parentPort?.on('message', () => {
  void ready.next().then(({ value }) => parentPort?.postMessage(value));
});
