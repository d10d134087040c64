import { errorText } from '@alphaflops/contracts';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { DatasetError, Problems } from '../dataset-error.js';
import { ALL_COLUMNS, type Column } from './columns.js';
import { checkPages, type ChunkLimits } from './parquet-pages.js';
import { expectColumns, parseRow } from './row-parser.js';
import type { NumberedRow } from './rows.js';

const MAX_FOOTER_BYTES = 64 * 2 ** 20;
const MAX_GROUP_ROWS = 1_000_000;
/** Limits for one unpacked column of one row group. */
const MAX_CHUNK_BYTES = 256 * 2 ** 20;
const MAX_LIST_VALUES = 20_000_000;

/**
 * Rows of a Parquet file, one row group at a time; the line of a row is its number, from 1. The sizes that the file
 * claims are checked before anything is unpacked, so that a malicious file needs no more memory than a large valid one.
 *
 * @throws DatasetError naming row and column
 */
export async function* readRowsParquet(buffer: AsyncBuffer, file: string): AsyncGenerator<NumberedRow> {
  const problems = new Problems(file);
  const malformed = (line: number | null, column: string | null, message: string): never =>
    problems.fatal({ code: 'malformed', line, column, message });
  const metadata = await metadataOf(buffer).catch((error: unknown) => malformed(null, null, reason(error)));
  const columns = columnsOf(metadata, problems);
  let first = 0;
  for (const group of metadata.row_groups) {
    const groupRows = Number(group.num_rows);
    if (groupRows > MAX_GROUP_ROWS) {
      malformed(first + 1, null, `expected row groups of at most ${MAX_GROUP_ROWS} rows, found ${groupRows}`);
    }
    for (const { meta_data: chunk } of group.columns) {
      const name = chunk?.path_in_schema[0] ?? '';
      const column = ALL_COLUMNS.find((one) => one.name === name);
      if (chunk === undefined || column === undefined) continue;
      const limits = limitsOf(column, groupRows);
      await checkPages(buffer, chunk, limits).catch((error: unknown) =>
        malformed(first + 1, name, reason(error)),
      );
    }
    const rows = await parquetReadObjects({
      file: buffer,
      metadata,
      columns,
      rowStart: first,
      rowEnd: first + groupRows,
    }).catch((error: unknown) => malformed(first + 1, null, reason(error)));
    for (const [at, values] of rows.entries()) {
      const line = first + at + 1;
      const row = parseRow(plain(values), line, problems);
      if (row !== null && !problems.any) yield { line, row };
    }
    first += groupRows;
  }
  if (first === 0)
    problems.fatal({ code: 'empty', line: null, column: null, message: 'expected rows, found none' });
  problems.throwIfAny();
}

async function metadataOf(buffer: AsyncBuffer): Promise<FileMetaData> {
  if (buffer.byteLength < 12) throw new Error('the file is too short');
  const end = new DataView(await buffer.slice(buffer.byteLength - 8, buffer.byteLength));
  if (end.getUint32(0, true) > MAX_FOOTER_BYTES) throw new Error('its footer is too large');
  return parquetMetadataAsync(buffer, { geoparquet: false });
}

/** @throws DatasetError when a column is missing or of another type */
function columnsOf(metadata: FileMetaData, problems: Problems): string[] {
  const { children } = parquetSchema(metadata);
  expectColumns(
    children.map(({ element }) => element.name),
    null,
    problems,
  );
  const has = (name: string): boolean => children.some(({ element }) => element.name === name);
  const columns = ALL_COLUMNS.filter(({ name }) => has(name));
  for (const { name, kind } of columns) {
    const tree = children.find(({ element }) => element.name === name);
    const isList = kind === 'numbers' || kind === 'texts';
    const leaf = isList ? tree?.children[0]?.children[0] : tree;
    const isLeaf = leaf?.children.length === 0 && (!isList || tree?.element.converted_type === 'LIST');
    const type = leaf?.element.type ?? 'a group';
    if (isLeaf && TYPES[kind].includes(type)) continue;
    const message = `expected ${isList ? 'a list of ' : ''}${TYPES[kind].join(' or ')}, found ${type}`;
    problems.fatal({ code: 'malformed', line: null, column: name, message });
  }
  return columns.map(({ name }) => name);
}

const TYPES: Readonly<Record<Column['kind'], readonly string[]>> = {
  int: ['INT32', 'INT64'],
  long: ['INT32', 'INT64'],
  number: ['DOUBLE', 'FLOAT', 'INT32', 'INT64'],
  boolean: ['BOOLEAN'],
  text: ['BYTE_ARRAY'],
  numbers: ['DOUBLE', 'FLOAT'],
  texts: ['BYTE_ARRAY'],
};

function limitsOf({ kind }: Column, rows: number): ChunkLimits {
  const isList = kind === 'numbers' || kind === 'texts';
  return { values: isList ? MAX_LIST_VALUES : rows, bytes: MAX_CHUNK_BYTES };
}

/** Converts 64-bit integers to numbers, and absent values to null. */
function plain(values: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'bigint') values[name] = Number(value);
    else if (value === undefined) values[name] = null;
  }
  return values;
}

function reason(error: unknown): string {
  if (error instanceof DatasetError) throw error;
  return `cannot be read as Parquet: ${errorText(error)}`;
}
