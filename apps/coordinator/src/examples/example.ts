import type { z } from 'zod';

/** One value of a named schema, as it may be sent and as it comes back with its defaults filled in. */
export interface Example {
  readonly sent: unknown;
  readonly received: unknown;
}

const byId = new Map<string, Example>();

/** Keeps the example of a named schema, checked by it; returns it as it comes back, for larger examples to hold. */
export function exampleOf<T extends z.ZodType>(schema: T, sent: z.input<T>): z.output<T> {
  const id = schema.meta()?.id;
  if (id === undefined) throw new Error('only a schema with a name (meta id) has an example');
  const received = schema.parse(sent);
  byId.set(id, { sent, received });
  return received;
}

/** Examples by the name of their schema. */
export const EXAMPLES: ReadonlyMap<string, Example> = byId;
