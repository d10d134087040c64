import { z } from 'zod';

/** Ids are safe in URLs, file names, queue names and Redis keys: no colon, slash, space or wildcard. */
export const IdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,119}$/, 'must be 1–120 of a–z, 0–9, ".", "_", "-"');

/** Times cross every boundary as ISO 8601 in UTC. */
export const TimestampSchema = z.iso.datetime();

export const LabelsSchema = z
  .record(z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/), z.string().max(200))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels')
  .meta({ id: 'Labels' });
export type Labels = z.infer<typeof LabelsSchema>;

/** One page of a list; `nextCursor` is null on the last page. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable().meta({ example: null }) });
}
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Strict, as every query is that extends it: a filter that is misspelt, or made to be taken for another, matches nothing. */
export const PageQuerySchema = z.strictObject({
  cursor: z.string().max(400).optional().describe('the nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type PageQuery = z.infer<typeof PageQuerySchema>;
