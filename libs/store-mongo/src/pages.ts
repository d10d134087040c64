import type { Page, PageQuery } from '@alphaflops/contracts';
import { badCursor, decodeCursor, pageFrom } from '@alphaflops/store';
import type { Collection, Document, Filter } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { RecordDocument, Records } from './records.js';

/** Fields and the values that they must equal; undefined matches any value. */
export type Equal = Readonly<Record<string, string | undefined>>;

/** Puts every value behind $eq, so that MongoDB does not interpret a value as an operator. */
export function whereEqual(equal: Equal): Record<string, { $eq: string }> {
  return Object.fromEntries(
    Object.entries(equal)
      .filter((entry): entry is [string, string] => entry[1] !== undefined)
      .map(([field, value]) => [field, { $eq: value }]),
  );
}

/** A position in an order by time, then by id. */
export interface Place {
  at: Date;
  id: string;
}

/** An order by time, then by id, with the index that provides this order under the filter. */
export interface TimeOrder {
  equal: Record<string, unknown>;
  at: 'recordedOn' | 'createdOn';
  id: 'id' | '_id';
  direction: 1 | -1;
  index: string;
  projection?: Record<string, 0>;
  /** Only times at or after this time. */
  from?: Date | undefined;
  /** Only times before this time. */
  to?: Date | undefined;
}

/**
 * Returns up to `limit` documents after a position. It first queries the remaining documents with the time of the
 * position, then documents with later times. These are two simple ranges of the index. With one condition for both
 * (an $or), the server would sort the documents or scan past them.
 */
export async function findAfter<T extends Document>(
  collection: Collection<T>,
  order: TimeOrder,
  after: Place | null,
  limit: number,
): Promise<T[]> {
  const { equal, at, id, direction, index, projection, from, to } = order;
  const beyond = direction === 1 ? '$gt' : '$lt';
  const find = (conditions: Record<string, unknown>, most: number) =>
    collection
      .find({ ...equal, ...conditions } as Filter<T>)
      .sort({ [at]: direction, [id]: direction })
      .hint(index)
      .project(projection ?? {})
      .limit(most)
      .maxTimeMS(MAX_TIME_MS)
      // One answer contains all documents, so that no cursor stays open on the server.
      .batchSize(most + 1)
      .toArray() as Promise<T[]>;
  const range = { ...(from && { $gte: from }), ...(to && { $lt: to }) };

  if (after === null || (from !== undefined && after.at < from)) {
    return find(from === undefined && to === undefined ? {} : { [at]: range }, limit);
  }
  if (to !== undefined && after.at >= to) return [];
  const same = await find({ [at]: { $eq: after.at }, [id]: { [beyond]: after.id } }, limit);
  if (same.length === limit) return same;
  const later = { ...(to && { $lt: to }), [beyond]: after.at };
  return [...same, ...(await find({ [at]: later }, limit - same.length))];
}

/** Returns a page of records with `createdOn`, newest first. */
export async function newestFirst<T extends { id: string | null }>(
  records: Records<T>,
  filter: Equal,
  index: string,
  page: PageQuery,
): Promise<Page<T>> {
  let after: Place | null = null;
  if (page.cursor !== undefined) {
    const id = decodeCursor(records.name, page.cursor);
    const place = await records.collection.findOne({ _id: { $eq: id } }, { maxTimeMS: MAX_TIME_MS });
    if (place === null) throw badCursor(records.name);
    after = { at: place['createdOn'] as Date, id };
  }
  const order = { equal: whereEqual(filter), at: 'createdOn', id: '_id', direction: -1, index } as const;
  const found = await findAfter(records.collection, order, after, page.limit + 1);
  return pageFrom(
    records.name,
    found.map((document) => records.parse(document)),
    page.limit,
  );
}

/** Returns a page of records in the order of their ids. */
export async function inOrderOfId<T extends { id: string }>(
  records: Records<T>,
  filter: Equal,
  page: PageQuery,
): Promise<Page<T>> {
  const after = page.cursor === undefined ? '' : decodeCursor(records.name, page.cursor);
  const found = await documentsAfterId(records.collection, whereEqual(filter), after, page.limit + 1);
  return pageFrom(
    records.name,
    found.map((document) => records.parse(document)),
    page.limit,
  );
}

/** Returns up to `limit` documents whose ids are after one id, and before `end` if it is set. */
export function documentsAfterId<T extends Document & Pick<RecordDocument, '_id'>>(
  collection: Collection<T>,
  equal: Record<string, unknown>,
  after: string,
  limit: number,
  end?: string,
): Promise<T[]> {
  const range = { $gt: after, ...(end !== undefined && { $lt: end }) };
  return collection
    .find({ ...equal, _id: range } as Filter<T>)
    .sort({ _id: 1 })
    .limit(limit)
    .batchSize(limit + 1)
    .maxTimeMS(MAX_TIME_MS)
    .toArray() as Promise<T[]>;
}
