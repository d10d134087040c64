import type { Page, PageQuery } from '@alphaflops/contracts';

/** Strings that are special in a query language, a regular expression or a C library. A store treats them as text. */
export const HOSTILE_STRINGS = [
  `' OR '1'='1`,
  `'; DROP TABLE samples; --`,
  '"',
  '`',
  '{"$gt":""}',
  '$where',
  '__proto__',
  'constructor',
  '%',
  '*',
  '.*',
  '\\',
  '\u0000',
  'a\u0000b',
  '',
  ' ',
  'NULL',
  'ключ-鍵-💥',
  '\ud800',
  'x'.repeat(10_000),
];

/** Variants of an id that a careless comparison treats as equal to it. */
export function nearMisses(id: string): string[] {
  return [`${id}\u0000`, `${id}\u0000x`, `${id} `, ` ${id}`, id.toUpperCase(), id.slice(0, -1), `${id}%`];
}

/** More than any test stores. With this limit, an adapter that repeats items fails the test instead of blocking it. */
const MAX_ITEMS = 10_000;

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) {
    if (items.push(item) > MAX_ITEMS) throw new Error('The stream does not end: it repeats items.');
  }
  return items;
}

/** All pages of a list; `between` runs after each page. */
export async function collectPages<T>(
  list: (page: PageQuery) => Promise<Page<T>>,
  limit: number,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await list(cursor === null ? { limit } : { limit, cursor });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    if (page.nextCursor !== null) expect(page.items).toHaveLength(limit);
    items.push(...page.items);
    cursor = page.nextCursor;
    if (items.length > MAX_ITEMS) throw new Error('The pages do not end: they repeat items.');
    await between();
  } while (cursor !== null);
  return items;
}

/** Expects that a list refuses cursors that it did not issue. */
export async function expectBadCursorsRefused<T>(
  list: (page: PageQuery) => Promise<Page<T>>,
  cursorOfAnotherList: string,
): Promise<void> {
  for (const cursor of [...HOSTILE_STRINGS, 'bm9uc2Vuc2U', 'bnVsbA', 'W10', cursorOfAnotherList]) {
    await expect(list({ limit: 10, cursor })).rejects.toMatchObject({
      name: 'StoreError',
      code: 'bad-cursor',
    });
  }
}

/** A record whose field `field` cannot be read. It causes a failure in the middle of a write, in every adapter. */
export function unreadable<T extends object>(record: T, field: keyof T & string): T {
  return Object.defineProperty({ ...record }, field, {
    enumerable: true,
    get() {
      throw new Error(`field ${field} cannot be read`);
    },
  });
}
