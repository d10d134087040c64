import type { Page, PageQuery } from '@alphaflops/contracts';

/** Strings that mean something to a query language, a regular expression or a C library, and nothing to a store. */
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

/** An id with something after it that a careless comparison drops. */
export function nearMisses(id: string): string[] {
  return [`${id}\u0000`, `${id}\u0000x`, `${id} `, ` ${id}`, id.toUpperCase(), id.slice(0, -1), `${id}%`];
}

/** More than any test stores; an adapter that repeats itself fails instead of hanging. */
const MAX_ITEMS = 10_000;

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) {
    if (items.push(item) > MAX_ITEMS) throw new Error('The stream goes on and on: it repeats itself.');
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
    if (items.length > MAX_ITEMS) throw new Error('The pages go on and on: they repeat themselves.');
    await between();
  } while (cursor !== null);
  return items;
}

/** Every list refuses cursors that it did not give. */
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

/** Records whose field `field` cannot be read: a failure in the middle of a write that every adapter meets. */
export function unreadable<T extends object>(record: T, field: keyof T & string): T {
  return Object.defineProperty({ ...record }, field, {
    enumerable: true,
    get() {
      throw new Error(`field ${field} cannot be read`);
    },
  });
}
