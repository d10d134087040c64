import type { Page, PageQuery } from '@alphaflops/contracts';
import { StoreError } from './store-error.js';

/**
 * Returns the cursor after an item. It holds only the name of the list and the id of the item. Adapters look up the
 * position of the item again, so that a cursor stays valid while rows are added.
 */
export function encodeCursor(list: string, id: string): string {
  return Buffer.from(JSON.stringify([list, id])).toString('base64url');
}

/**
 * Returns the id in a cursor that `encodeCursor` made for the same list.
 * @throws StoreError `bad-cursor` when the cursor is not valid for this list
 */
export function decodeCursor(list: string, cursor: string): string {
  const id = idInCursor(list, cursor);
  if (id === null || encodeCursor(list, id) !== cursor) throw badCursor(list);
  return id;
}

export function badCursor(list: string): StoreError {
  return new StoreError(
    'bad-cursor',
    `The cursor does not come from the list of ${list}. Send the nextCursor of a page unchanged, or send no cursor.`,
  );
}

/** Makes a page from up to `limit + 1` items. The extra item shows that a next page exists. */
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

/** Yields every item of a paged list. Reads the next page when the caller has consumed the present one. */
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
