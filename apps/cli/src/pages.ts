import { CliError } from './error.js';

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

const PAGE = 1000;

/** The newest `most` items of a list that the API gives in pages. */
export async function itemsOf<T>(
  page: (query: { limit: number; cursor?: string }) => Promise<{ data?: Page<T> }>,
  most = Infinity,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(PAGE, most - items.length);
    const { data } = await page({ limit, ...(cursor !== null && { cursor }) });
    const { items: more, nextCursor } = answered(data);
    items.push(...more);
    cursor = nextCursor;
  } while (cursor !== null && items.length < most);
  return items;
}

/** The body of an answer. The client rejects unless it succeeded, so that it lacks only from something else. */
export function answered<T>(data: T | undefined): T {
  if (data !== undefined) return data;
  throw new CliError('failed', 'The answer of the coordinator is empty; is it one?');
}
