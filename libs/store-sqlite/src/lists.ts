import type { Page, PageQuery } from '@alphaflops/contracts';
import { badCursor, decodeCursor, pageFrom } from '@alphaflops/store';
import type { Connection, SqlValue } from './connection.js';

/** Columns and the values that they must equal; undefined matches any value. */
export type Filter = Readonly<Record<string, string | undefined>>;

/** A position after every possible time and row. */
const END = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/**
 * Returns a page of a table with `seq` and `created_at`, newest first. For equal times, the last inserted row comes
 * first.
 */
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

/** Returns a page of a table in the order of its ids. */
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

/**
 * Returns the position, in the order of the list, of the item that a cursor names.
 * @throws StoreError `bad-cursor` when the cursor is not valid for the list
 */
export function placeOf(connection: Connection, sql: string, list: string, cursor: string): SqlValue[] {
  const place = connection.rows(sql, [decodeCursor(list, cursor)])[0];
  if (place === undefined) throw badCursor(list);
  return place;
}

/** Returns the conditions of a filter, each followed by AND, and their values. Another condition must follow. */
export function whereEqual(filter: Filter): { sql: string; values: string[] } {
  const entries = Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    sql: entries.map(([column]) => `${column} = ? AND`).join(' '),
    values: entries.map(([, value]) => value),
  };
}
