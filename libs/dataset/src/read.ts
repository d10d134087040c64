import type { ConvSpec } from '@alphaflops/conv';
import { csvRecords } from './csv-records.js';
import { Problems } from './dataset-error.js';
import { layoutOf } from './layouts.js';
import { RowReader, type Extras, type RowValues } from './row-reader.js';
import type { TextSource } from './text-source.js';

/** One measured row of a file. `extras` holds the known further columns that have a value. */
export interface SampleRow {
  /** Counted from 1, the header included. */
  readonly line: number;
  readonly spec: ConvSpec;
  readonly timeMs: number;
  readonly extras: Extras;
}

/** One row of a file that need not be measured, with everything it held, to write it out again with more columns. */
export interface SpecRow {
  readonly line: number;
  readonly spec: ConvSpec;
  /** Kernel and workspace, where the file has these columns. */
  readonly extras: Extras;
  /** Names of the columns of the file, the same array for all its rows. */
  readonly columns: readonly string[];
  /** The cells of this row as they were. */
  readonly cells: readonly string[];
}

/**
 * Samples of a CSV file in one of three layouts, told apart by the header: the canonical one, the authors' of 2021,
 * the replication's of 2026 (times in seconds, turned into ms). Unknown columns are ignored. Memory stays bounded.
 *
 * Rows come until the first problem; the rest of the file is then only read to find more of them.
 *
 * @param source the text itself or its pieces
 * @param file name of the file, for messages
 * @throws DatasetError with up to ten problems, each with line and column and what was expected.
 */
export async function* readSamples(source: TextSource, file: string): AsyncGenerator<SampleRow> {
  for await (const { line, values } of readRows(source, file, true)) yield { line, ...values };
}

/** All of `readSamples` at once. */
export async function readAllSamples(source: TextSource, file: string): Promise<SampleRow[]> {
  const rows: SampleRow[] = [];
  for await (const row of readSamples(source, file)) rows.push(row);
  return rows;
}

/** Like `readSamples` for files that need no time; a time column that is there is not looked at. */
export async function* readSpecs(source: TextSource, file: string): AsyncGenerator<SpecRow> {
  for await (const { line, values, columns, cells } of readRows(source, file, false)) {
    yield { line, spec: values.spec, extras: values.extras, columns, cells };
  }
}

interface FileRow {
  readonly line: number;
  readonly values: RowValues;
  readonly columns: readonly string[];
  readonly cells: readonly string[];
}

async function* readRows(source: TextSource, file: string, withTime: boolean): AsyncGenerator<FileRow> {
  const problems = new Problems(file);
  let columns: readonly string[] | undefined;
  let reader: RowReader | undefined;
  let rows = 0;
  for await (const { line, cells } of csvRecords(source, problems)) {
    if (!columns || !reader) {
      columns = cells.map((cell) => cell.trim());
      reader = readerFor(columns, line, withTime, problems);
      continue;
    }
    rows += 1;
    if (cells.length !== columns.length) {
      const message = `expected ${columns.length} cells as in the header, found ${cells.length}`;
      problems.add({ code: 'wrong-cell-count', line, column: null, message });
      continue;
    }
    const row = reader.read(cells, line);
    if (!row.ok) problems.add(...row.problems);
    else if (!problems.any) yield { line, values: row.values, columns, cells };
  }
  if (rows === 0) {
    const message = columns
      ? 'expected rows below the header, found none'
      : 'expected a header and rows, found nothing';
    problems.fatal({ code: 'empty', line: null, column: null, message });
  }
  problems.throwIfAny();
}

/** @throws DatasetError when the header has a column twice or lacks one. */
export function readerFor(
  header: readonly string[],
  line: number,
  withTime: boolean,
  problems: Problems,
): RowReader {
  const seen = new Set<string>();
  for (const column of header) {
    const message = 'expected every column once, found this one twice';
    if (seen.has(column)) problems.fatal({ code: 'duplicate-column', line, column, message });
    if (column !== '') seen.add(column);
  }
  const layout = layoutOf(header);
  const reader = new RowReader(layout, header, withTime);
  const missing = reader.missingColumns;
  if (missing.length > 0) {
    const message = `expected the columns of the ${layout.name} layout, missing ${missing.join(', ')}`;
    problems.fatal({ code: 'missing-column', line, column: missing[0] ?? null, message });
  }
  return reader;
}
