import { CliError } from './error.js';

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

const PAGE = 1000;

/** The newest `most` items of a list that the API returns in pages. */
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

/**
 * The body of an answer. The client rejects failed requests, so a missing body means that the server is not a
 * coordinator.
 */
export function answered<T>(data: T | undefined): T {
  if (data !== undefined) return data;
  throw new CliError('failed', 'The answer is empty. Check that the URL is that of a coordinator.');
}
