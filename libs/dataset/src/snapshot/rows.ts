import type { DatasetFormat, DatasetRow } from '@alphaflops/contracts';

/** A row and where it stands in its file, counted from 1, a header included. */
export interface NumberedRow {
  readonly line: number;
  readonly row: DatasetRow;
}

/** Longest row of text: 10,000 batch times and everything else, with room. */
export const MAX_ROW_BYTES = 512 * 1024;

/** What files with rows are called, and what they are. */
export const DATA_FILES: Readonly<Record<DatasetFormat, { path: string; mediaType: string }>> = {
  parquet: { path: 'data/samples.parquet', mediaType: 'application/vnd.apache.parquet' },
  csv: { path: 'data/samples.csv', mediaType: 'text/csv' },
  jsonl: { path: 'data/samples.jsonl', mediaType: 'application/x-ndjson' },
};
