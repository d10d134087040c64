import type { ConvSpec } from '@alphaflops/conv';
import { csvRecords } from './csv-records.js';
import { Problems, shown } from './dataset-error.js';
import { readHeader, type ReadHeader } from './column-names.js';
import { knownColumns, type Layout, LAYOUTS_OF_FILES, requiredColumns } from './layouts.js';
import { EXTRA_COLUMNS, RowReader, type Extras, type RowValues } from './row-reader.js';
import type { TextSource } from './text-source.js';

/** One measured row of a file. `extras` holds the known further columns that have a value. */
export interface SampleRow {
  /** Counted from 1, including the header. */
  readonly line: number;
  readonly spec: ConvSpec;
  readonly timeMs: number;
  readonly extras: Extras;
}

/** One row of a file without required times. It has all its cells, so that it can be written again with more columns. */
export interface SpecRow {
  readonly line: number;
  readonly spec: ConvSpec;
  /** Kernel and workspace, if the file has these columns. */
  readonly extras: Extras;
  /** Names of the columns in the file. All rows share this array. */
  readonly columns: readonly string[];
  /** The unchanged cells of this row. */
  readonly cells: readonly string[];
}

/**
 * Samples of a CSV file in one of three layouts: the canonical one, the authors' of 2021, and the replication's of 2026 (times
 * in seconds, converted to ms). The header shows the layout. Column names may have any case, and common synonyms are known.
 * A name that may mean an axis is refused, and other unknown columns are ignored. Memory is bounded.
 *
 * Gives rows until the first problem. The rest of the file is then read only to find more problems.
 *
 * @param source the text or its pieces
 * @param file name of the file, for messages
 * @param onIgnored called once with the names of the columns that are not read, if there are any
 * @throws DatasetError with up to ten problems, each with line, column and the expected value.
 */
export async function* readSamples(
  source: TextSource,
  file: string,
  onIgnored?: OnIgnored,
): AsyncGenerator<SampleRow> {
  for await (const { line, values } of readRows(source, file, true, onIgnored)) yield { line, ...values };
}

/** All samples of `readSamples` in one array. */
export async function readAllSamples(
  source: TextSource,
  file: string,
  onIgnored?: OnIgnored,
): Promise<SampleRow[]> {
  const rows: SampleRow[] = [];
  for await (const row of readSamples(source, file, onIgnored)) rows.push(row);
  return rows;
}

/** Like `readSamples`, for files that need no time. A time column is ignored. */
export async function* readSpecs(
  source: TextSource,
  file: string,
  onIgnored?: OnIgnored,
): AsyncGenerator<SpecRow> {
  for await (const { line, values, columns, cells } of readRows(source, file, false, onIgnored)) {
    yield { line, spec: values.spec, extras: values.extras, columns, cells };
  }
}

/** Receives the names of columns that are not read. */
export type OnIgnored = (columns: readonly string[]) => void;

interface FileRow {
  readonly line: number;
  readonly values: RowValues;
  readonly columns: readonly string[];
  readonly cells: readonly string[];
}

async function* readRows(
  source: TextSource,
  file: string,
  withTime: boolean,
  onIgnored?: OnIgnored,
): AsyncGenerator<FileRow> {
  const problems = new Problems(file);
  let columns: readonly string[] | undefined;
  let reader: RowReader | undefined;
  let rows = 0;
  for await (const { line, cells } of csvRecords(source, problems)) {
    if (!columns || !reader) {
      columns = cells.map((cell) => cell.trim());
      reader = readerFor(columns, line, withTime, problems, onIgnored);
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

/** @throws DatasetError when the header has a column twice, has a column that may mean an axis, or does not have a required column. */
export function readerFor(
  header: readonly string[],
  line: number,
  withTime: boolean,
  problems: Problems,
  onIgnored?: OnIgnored,
): RowReader {
  const { layout, names, unclear, ignored } = arrangementOf(header);
  const seen = new Map<string, string>();
  for (const [at, name] of names.entries()) {
    const column = header[at] ?? '';
    const first = seen.get(name);
    const message =
      first === column
        ? 'expected every column once, found this one twice'
        : `expected every column once, found ${String(first)} and ${column} for ${name}`;
    if (first !== undefined) problems.fatal({ code: 'duplicate-column', line, column, message });
    if (name !== '') seen.set(name, column);
  }
  const missing = requiredColumns(layout, withTime).filter((column) => !names.includes(column));
  if (missing.length > 0) {
    const found = unclear.map(({ column, message }) => `; "${column}" ${message}`).join('');
    const message = `expected the columns of the ${layout.name} layout, missing ${missing.join(', ')}${found}`;
    problems.fatal({ code: 'missing-column', line, column: missing[0] ?? null, message });
  }
  for (const { column, message } of unclear) {
    problems.add({ code: 'unclear-column', line, column, message: `${shown(column)} ${message}` });
  }
  problems.throwIfAny();
  if (ignored.length > 0) onIgnored?.(ignored);
  return new RowReader(layout, names, withTime);
}

/** The layout with the smallest share of missing columns in this header. If several are equal, the canonical one. */
function arrangementOf(header: readonly string[]): ReadHeader & { layout: Layout } {
  const arrangements = LAYOUTS_OF_FILES.map((layout) => {
    const found = readHeader(header, knownColumns(layout, EXTRA_COLUMNS));
    const required = requiredColumns(layout, true);
    const lacks = required.filter((column) => !found.names.includes(column)).length / required.length;
    return { layout, lacks, ...found };
  });
  return arrangements.reduce((best, next) => (next.lacks < best.lacks ? next : best));
}
