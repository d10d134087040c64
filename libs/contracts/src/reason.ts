import { z } from 'zod';
import { LineSchema } from './ids.js';

const reason = LineSchema.min(1).max(500);

export const ReasonSchema = z
  .object({ reason: reason.default('requested by the operator') })
  .strict()
  .prefault({})
  .meta({ id: 'Reason' });
