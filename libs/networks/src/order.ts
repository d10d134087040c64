/**
 * Sorts items so that each one comes after the items that it reads. The items of a file can have any order. Items
 * that read values from no other item are ready at once.
 *
 * @returns null when items wait for each other in a cycle
 */
export function inOrder<T>(
  items: readonly T[],
  made: (item: T) => readonly string[],
  read: (item: T) => readonly string[],
): T[] | null {
  const makers = new Map<string, number>();
  items.forEach((item, at) => {
    for (const name of made(item)) makers.set(name, at);
  });
  const readers = items.map((): number[] => []);
  const waiting = items.map((item, at) => {
    const sources = new Set(read(item).flatMap((name) => makers.get(name) ?? []));
    for (const source of sources) readers[source]?.push(at);
    return sources.size;
  });
  const ready = items.flatMap((_, at) => (waiting[at] === 0 ? [at] : []));
  // Keep the order of the file if it is already valid.
  const isFileOrder = items.every((item, at) => read(item).every((name) => (makers.get(name) ?? -1) < at));
  if (isFileOrder) return [...items];
  for (let next = 0; next < ready.length; next++) {
    for (const reader of readers[ready[next] ?? 0] ?? []) {
      waiting[reader] = (waiting[reader] ?? 0) - 1;
      if (waiting[reader] === 0) ready.push(reader);
    }
  }
  if (ready.length !== items.length) return null;
  return ready.map((at) => items[at] as T);
}
