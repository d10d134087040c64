import { z } from 'zod';

/** Ids are safe in URLs, file names, queue names and Redis keys: no colon, slash, space or wildcard. */
export const IdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,119}$/, 'must be 1–120 of a–z, 0–9, ".", "_", "-"');

/** Times cross every boundary as ISO 8601 in UTC. */
export const TimestampSchema = z.iso.datetime();

/** A time in a request, with `Z` or an offset such as `+02:00`. It is converted to UTC. */
export const GivenTimeSchema = z.iso
  .datetime({ offset: true, error: 'must be a time with Z or an offset, such as 2026-11-23T02:00:00+02:00' })
  .overwrite((time) => (isInUtcOrNoTime(time) ? time : new Date(time).toISOString()));

/** The format check refuses text that is not a time, but zod still runs the conversion. */
function isInUtcOrNoTime(time: string): boolean {
  return time.endsWith('Z') || Number.isNaN(Date.parse(time));
}

/**
 * One line of text from users, which terminals show. It has no control characters, which a terminal would execute, and no marks
 * that change the direction of the surrounding text.
 */
export const LineSchema = z.string().regex(
  // eslint-disable-next-line no-control-regex -- these are what is refused
  /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$/,
  'must be one line without control characters',
);

export const LabelsSchema = z
  .record(z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/), LineSchema.max(200))
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

/** Strict, and so is every query that extends it: a misspelt filter must be refused and not ignored. */
export const PageQuerySchema = z.strictObject({
  cursor: z.string().max(400).optional().describe('the nextCursor of the previous page'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type PageQuery = z.infer<typeof PageQuerySchema>;
