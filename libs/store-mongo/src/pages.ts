import type { Page, PageQuery } from '@alphaflops/contracts';
import { badCursor, decodeCursor, pageFrom } from '@alphaflops/store';
import type { Collection, Document, Filter } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { RecordDocument, Records } from './records.js';

/** Fields and what they must equal; undefined: anything. */
export type Equal = Readonly<Record<string, string | undefined>>;

/** Values only ever stand behind $eq, so that nothing in them is an operator. */
export function whereEqual(equal: Equal): Record<string, { $eq: string }> {
  return Object.fromEntries(
    Object.entries(equal)
      .filter((entry): entry is [string, string] => entry[1] !== undefined)
      .map(([field, value]) => [field, { $eq: value }]),
  );
}

/** A place in an order by moment, then by id. */
export interface Place {
  at: Date;
  id: string;
}

/** An order by moment, then by id; with the index that gives it under the filter. */
export interface TimeOrder {
  equal: Record<string, unknown>;
  at: 'recordedOn' | 'createdOn';
  id: 'id' | '_id';
  direction: 1 | -1;
  index: string;
  projection?: Record<string, 0>;
  /** Only moments that are at or after it … */
  from?: Date | undefined;
  /** … and before this one. */
  to?: Date | undefined;
}

/**
 * Up to `limit` documents after a place. Asks for the rest of the moment of the place, then for later moments: two
 * plain ranges of the index, where one condition for both (an $or) would be sorted or skipped through.
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
      // All in one answer: no cursor is left on the server.
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

/** A page of records with `createdOn`, newest first. */
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

/** A page of records in the order of their ids. */
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

/** Up to `limit` documents whose ids come after one, and before `end` where it is given. */
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
