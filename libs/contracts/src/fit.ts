import { z } from 'zod';
import { IdSchema } from './ids.js';

export const FitStateSchema = z
  .object({
    id: IdSchema,
    state: z.enum(['waiting', 'active', 'completed', 'failed']),
    modelId: IdSchema.nullable(),
    reason: z.string().nullable().describe('of a failure; or why the model is only a candidate'),
  })
  .meta({ id: 'FitState' });
export type FitState = z.infer<typeof FitStateSchema>;
