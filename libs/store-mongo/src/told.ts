import type { Connection } from './connection.js';

/** The same items; errors of MongoDB become `StoreError`s. */
export async function* told<T>(connection: Connection, items: AsyncIterable<T>): AsyncIterable<T> {
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
