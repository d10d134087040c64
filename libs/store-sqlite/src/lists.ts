import type { Page, PageQuery } from '@alphaflops/contracts';
import { badCursor, decodeCursor, pageFrom } from '@alphaflops/store';
import type { Connection, SqlValue } from './connection.js';

/** Columns and what they must equal; undefined: anything. */
export type Filter = Readonly<Record<string, string | undefined>>;

/** After every moment and every row there can be. */
const END = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** A page of a table with `seq` and `created_at`, newest first; of equal times, the last inserted first. */
export function newestFirst<T extends { id: string | null }>(
  connection: Connection,
  table: 'campaigns' | 'models' | 'audit' | 'datasets' | 'kernel_maps',
  filter: Filter,
  page: PageQuery,
): Page<T> {
  const before =
    page.cursor === undefined
      ? END
      : placeOf(connection, `SELECT created_at, seq FROM ${table} WHERE id = ?`, table, page.cursor);
  const where = whereEqual(filter);
  const sql =
    `SELECT doc FROM ${table} WHERE ${where.sql} (created_at, seq) < (?, ?) ` +
    'ORDER BY created_at DESC, seq DESC LIMIT ?';
  const found = connection.documents(sql, [...where.values, ...before, page.limit + 1]);
  return pageFrom(table, found as T[], page.limit);
}

/** A page of a table in the order of its ids. */
export function inOrderOfId<T extends { id: string }>(
  connection: Connection,
  table: 'workers' | 'devices' | 'device_classes',
  filter: Filter,
  page: PageQuery,
): Page<T> {
  const after = page.cursor === undefined ? '' : decodeCursor(table, page.cursor);
  const where = whereEqual(filter);
  const sql = `SELECT doc FROM ${table} WHERE ${where.sql} id > ? ORDER BY id LIMIT ?`;
  return pageFrom(
    table,
    connection.documents(sql, [...where.values, after, page.limit + 1]) as T[],
    page.limit,
  );
}

/** The place in the order of the item that a cursor names. Throws `StoreError('bad-cursor')`. */
export function placeOf(connection: Connection, sql: string, list: string, cursor: string): SqlValue[] {
  const place = connection.rows(sql, [decodeCursor(list, cursor)])[0];
  if (place === undefined) throw badCursor(list);
  return place;
}

/** Conditions to stand before another one. */
export function whereEqual(filter: Filter): { sql: string; values: string[] } {
  const entries = Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    sql: entries.map(([column]) => `${column} = ? AND`).join(' '),
    values: entries.map(([, value]) => value),
  };
}
