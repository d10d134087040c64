import type { z } from 'zod';

/** One value of a named schema: as a request, and as an answer with its defaults. */
export interface Example {
  readonly sent: unknown;
  readonly received: unknown;
}

const byId = new Map<string, Example>();

/** Checks and stores the example of a named schema. Returns it in the form of an answer, for use in larger examples. */
export function exampleOf<T extends z.ZodType>(schema: T, sent: z.input<T>): z.output<T> {
  const id = schema.meta()?.id;
  if (id === undefined) throw new Error('only a schema with a name (meta id) has an example');
  const received = schema.parse(sent);
  byId.set(id, { sent, received });
  return received;
}

/** Examples by the name of their schema. */
export const EXAMPLES: ReadonlyMap<string, Example> = byId;
