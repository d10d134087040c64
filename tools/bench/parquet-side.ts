// One side of the benchmark `parquet`, in a separate process. `ours` reads a store and writes Parquet like the
// export. `theirs` has the rows in memory and passes them to hyparquet-writer. The process sends its time and memory.
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DatasetRow } from '@alphaflops/contracts';
import { rowOfSample, writeRowsParquet } from '@alphaflops/dataset';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import { seconds } from './figures.js';

const [side = '', storeFile = '', to = ''] = process.argv.slice(2);

export interface SideReport {
  seconds: number;
  peakMb: number;
}

const stores = await openSqliteStores(storeFile);

async function* rows(): AsyncGenerator<DatasetRow> {
  for await (const sample of stores.samples.stream({})) yield rowOfSample(sample);
}

const write = (from: Iterable<DatasetRow> | AsyncIterable<DatasetRow>) =>
  seconds(() => pipeline(Readable.from(writeRowsParquet(from)), createWriteStream(to)));
let took: number;
if (side === 'ours') took = await write(rows());
else {
  const inMemory: DatasetRow[] = [];
  for await (const row of rows()) inMemory.push(row);
  took = await write(inMemory);
}
await stores.close();
await rm(to);
process.send?.({ seconds: took, peakMb: process.resourceUsage().maxRSS / 1024 } satisfies SideReport);
process.disconnect();
