import type { DatasetFormat, DatasetRow } from '@alphaflops/contracts';

/** A row and its position in its file, counted from 1, including a header. */
export interface NumberedRow {
  readonly line: number;
  readonly row: DatasetRow;
}

/** Longest row of text: 10,000 batch times and all other values, with reserve. */
export const MAX_ROW_BYTES = 512 * 1024;

/** Names and types of files with rows. */
export const DATA_FILES: Readonly<Record<DatasetFormat, { path: string; mediaType: string }>> = {
  parquet: { path: 'data/samples.parquet', mediaType: 'application/vnd.apache.parquet' },
  csv: { path: 'data/samples.csv', mediaType: 'text/csv' },
  jsonl: { path: 'data/samples.jsonl', mediaType: 'application/x-ndjson' },
};
