import type { DatasetRow } from '@alphaflops/contracts';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { COLUMNS, type Column } from './columns.js';

/** Rows in one row group. Only one row group is in memory at a time. */
const ROW_GROUP_ROWS = 20_000;

/**
 * A Parquet file in pieces, one for each row group. Lists are LIST, text is UTF-8, times of day are text in the form
 * that the worker sent. The same rows give the same bytes.
 */
export async function* writeRowsParquet(
  rows: Iterable<DatasetRow> | AsyncIterable<DatasetRow>,
  columns: readonly Column[] = COLUMNS,
  rowGroupRows = ROW_GROUP_ROWS,
): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter();
  const file = new ParquetWriter({ writer: bytes, schema: schemaOf(columns), createdBy: 'alphaflops' });
  const taken = (): Uint8Array => {
    const piece = bytes.getBytes().slice();
    // `offset` counts positions in the file over all row groups.
    bytes.index = 0;
    return piece;
  };
  let group: DatasetRow[] = [];
  const flush = (): Uint8Array => {
    void file.write({
      columnData: columns.map((column) => columnOf(column, group)),
      rowGroupSize: group.length,
    });
    group = [];
    return taken();
  };
  for await (const row of rows) {
    if (group.push(row) === rowGroupRows) yield flush();
  }
  if (group.length > 0) yield flush();
  void file.finish();
  yield taken();
}

function columnOf({ name, kind }: Column, rows: readonly DatasetRow[]) {
  const data: unknown[] =
    kind === 'long'
      ? rows.map((row) => bigOrNull(row[name] as number | null))
      : rows.map((row) => row[name] ?? null);
  return { name, data };
}

function bigOrNull(value: number | null): bigint | null {
  return value === null ? null : BigInt(value);
}

const schemaOf = (columns: readonly Column[]): SchemaElement[] => [
  { name: 'root', num_children: columns.length },
  ...columns.flatMap(elementsOf),
];

function elementsOf({ name, kind, nullable }: Column): SchemaElement[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  switch (kind) {
    case 'int':
      return [{ name, repetition_type, type: 'INT32' }];
    case 'long':
      return [{ name, repetition_type, type: 'INT64' }];
    case 'number':
      return [{ name, repetition_type, type: 'DOUBLE' }];
    case 'boolean':
      return [{ name, repetition_type, type: 'BOOLEAN' }];
    case 'text':
      return [{ name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
    case 'numbers':
      return listOf(name, repetition_type, { type: 'DOUBLE' });
    case 'texts':
      return listOf(name, repetition_type, { type: 'BYTE_ARRAY', converted_type: 'UTF8' });
  }
}

function listOf(
  name: string,
  repetition_type: 'OPTIONAL' | 'REQUIRED',
  element: Pick<SchemaElement, 'type' | 'converted_type'>,
): SchemaElement[] {
  return [
    { name, repetition_type, num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...element },
  ];
}
