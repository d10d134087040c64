import type { DatasetRow } from '@alphaflops/contracts';
import { stringify } from 'csv-stringify/sync';
import { csvRecords } from '../csv-records.js';
import { Problems } from '../dataset-error.js';
import { decimal } from '../row-reader.js';
import type { TextSource } from '../text-source.js';
import { ALL_COLUMNS, COLUMNS, type Column } from './columns.js';
import { expectColumns, parseRow } from './row-parser.js';
import { MAX_ROW_BYTES, type NumberedRow } from './rows.js';

const ROWS_PER_PIECE = 1000;

/** Text that a spreadsheet would run as a formula, lose or misinterpret gets an apostrophe. */
const GUARDED = /^(?:$|['=+\-@\t\r\uFF0B\uFF0D\uFF1D\uFF20])/;
/** Cells that need quotes, in addition to those that the writer always quotes. */
const QUOTED = /^\s|\s$|\r/;

/**
 * A CSV file in pieces (RFC 4180, UTF-8). Null is an empty cell, lists are JSON. Text that begins with = + - @ or ' and
 * empty text get an apostrophe in front. The reader removes it.
 */
export async function* writeRowsCsv(
  rows: Iterable<DatasetRow> | AsyncIterable<DatasetRow>,
  columns: readonly Column[] = COLUMNS,
): AsyncGenerator<string> {
  let held: (string | number | null)[][] = [columns.map(({ name }) => name)];
  const flush = () => stringify(held, { quoted_match: QUOTED });
  for await (const row of rows) {
    held.push(columns.map((column) => cellOf(column, row[column.name])));
    if (held.length < ROWS_PER_PIECE) continue;
    yield flush();
    held = [];
  }
  if (held.length > 0) yield flush();
}

/** @throws DatasetError naming line and column */
export async function* readRowsCsv(source: TextSource, file: string): AsyncGenerator<NumberedRow> {
  const problems = new Problems(file);
  let header: readonly string[] | undefined;
  let columns: readonly (Column | undefined)[] = [];
  for await (const { line, cells } of csvRecords(source, problems, MAX_ROW_BYTES)) {
    if (header === undefined) {
      header = cells;
      expectColumns(header, line, problems);
      columns = header.map((name) => ALL_COLUMNS.find((column) => column.name === name));
      continue;
    }
    if (cells.length !== header.length) {
      const message = `expected ${header.length} cells as in the header, found ${cells.length}`;
      problems.add({ code: 'wrong-cell-count', line, column: null, message });
      continue;
    }
    const values: Record<string, unknown> = {};
    for (const [at, column] of columns.entries()) {
      if (column !== undefined) values[column.name] = valueOf(column, cells[at] ?? '');
    }
    const row = parseRow(values, line, problems);
    if (row !== null && !problems.any) yield { line, row };
  }
  if (header === undefined) {
    const message = 'expected a header and rows, found nothing';
    problems.fatal({ code: 'empty', line: null, column: null, message });
  }
  problems.throwIfAny();
}

function cellOf({ kind }: Column, value: DatasetRow[keyof DatasetRow]): string | number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (kind !== 'text') return value;
  const text = String(value);
  return GUARDED.test(text) ? `'${text}` : text;
}

function valueOf({ kind }: Column, cell: string): unknown {
  if (cell === '') return null;
  if (kind === 'text') return cell.startsWith("'") ? cell.slice(1) : cell;
  return kind === 'number' || kind === 'int' || kind === 'long' ? decimal(cell) : jsonOf(cell);
}

/** Text that is not JSON stays text, and the check of the row refuses it. */
function jsonOf(cell: string): unknown {
  try {
    return JSON.parse(cell);
  } catch {
    return cell;
  }
}
