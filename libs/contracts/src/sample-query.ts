import { z } from 'zod';
import { GivenTimeSchema, IdSchema, PageQuerySchema, TimestampSchema } from './ids.js';
import { OutcomeSchema } from './measurement.js';

export const SampleQuerySchema = z.strictObject({
  campaignId: IdSchema.optional(),
  deviceClassId: IdSchema.optional(),
  deviceId: IdSchema.optional(),
  workerId: IdSchema.optional(),
  outcome: OutcomeSchema.optional(),
  recordedFrom: GivenTimeSchema.optional(),
  recordedTo: GivenTimeSchema.optional(),
});
export const SamplePageQuerySchema = PageQuerySchema.extend(SampleQuerySchema.shape);
export const SampleStreamQuerySchema = SampleQuerySchema.extend({
  format: z.enum(['jsonl', 'csv']).default('jsonl').describe('csv: ok samples only, canonical columns'),
  columns: z
    .enum(['needed', 'all'])
    .default('needed')
    .describe(
      'columns of csv. needed: columns of optional fields (strides by axis, dilation, pads, pass) only if some sample has one, which is checked first; all: always',
    ),
});

/** Largest number of intervals in one request for counts. */
const MAX_COUNTS = 200;

export const SampleCountsQuerySchema = z.strictObject({
  recordedFrom: GivenTimeSchema.optional().describe('absent: a day before recordedTo'),
  recordedTo: GivenTimeSchema.optional().describe('absent: now'),
  parts: z.coerce.number().int().min(1).max(MAX_COUNTS).default(96).describe('of equal length'),
});

export const SampleCountsSchema = z
  .object({
    recordedFrom: TimestampSchema,
    recordedTo: TimestampSchema,
    counts: z.array(z.int().min(0)).describe('samples of any outcome in each part of the time, oldest first'),
  })
  .meta({ id: 'SampleCounts' });
export type SampleCounts = z.infer<typeof SampleCountsSchema>;
