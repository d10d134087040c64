import { z } from 'zod';

export const HealthSchema = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    checks: z.record(z.string(), z.string()).describe('part → ok, or a description of the problem'),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof HealthSchema>;
