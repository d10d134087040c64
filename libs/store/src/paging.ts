import type { Page, PageQuery } from '@alphaflops/contracts';
import { StoreError } from './store-error.js';

/**
 * The cursor after an item: names the list and the item, nothing else. Adapters look the item's place up again, so
 * that a cursor stays good while rows are added.
 */
export function encodeCursor(list: string, id: string): string {
  return Buffer.from(JSON.stringify([list, id])).toString('base64url');
}

/** The id in a cursor that `encodeCursor` made for the same list. Throws `StoreError('bad-cursor')`. */
export function decodeCursor(list: string, cursor: string): string {
  const id = idInCursor(list, cursor);
  if (id === null || encodeCursor(list, id) !== cursor) throw badCursor(list);
  return id;
}

export function badCursor(list: string): StoreError {
  return new StoreError(
    'bad-cursor',
    `The cursor is not one that the list of ${list} gave: send the nextCursor of a page unchanged, or none.`,
  );
}

/** A page out of up to `limit + 1` items: the one too many says that there is a next page. */
export function pageFrom<T extends { id: string | null }>(
  list: string,
  found: readonly T[],
  limit: number,
): Page<T> {
  const items = found.slice(0, limit);
  const lastId = items.at(-1)?.id ?? null;
  const isLast = found.length <= limit || lastId === null;
  return { items, nextCursor: isLast ? null : encodeCursor(list, lastId) };
}

/** Every item of a list that comes in pages. The next page is read when the items of the last one are used up. */
export async function* everyItem<T>(
  list: (page: PageQuery) => Promise<Page<T>>,
  limit: number,
): AsyncGenerator<T> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Page<T> = await list({ limit, ...(cursor !== undefined && { cursor }) });
    yield* page.items;
    cursor = page.nextCursor;
  }
}

function idInCursor(list: string, cursor: string): string | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed) || parsed.length !== 2 || parsed[0] !== list) return null;
    return typeof parsed[1] === 'string' ? parsed[1] : null;
  } catch {
    return null;
  }
}
