import { z } from 'zod';

/** RFC 9457 problem details. `code` is stable; `detail` is for people. */
export const ProblemSchema = z
  .object({
    type: z.string().describe('urn:alphaflops:problem:<code>'),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    requestId: z.string(),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('one entry per wrong field'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof ProblemSchema>;
