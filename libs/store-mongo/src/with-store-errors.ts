import type { Connection } from './connection.js';

/**
 * Yields the same items.
 * @throws StoreError instead of an error of MongoDB
 */
export async function* withStoreErrors<T>(connection: Connection, items: AsyncIterable<T>): AsyncIterable<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await connection.attempt(() => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
