import { z } from 'zod';
import { IdSchema, TimestampSchema } from './ids.js';
import { SealSchema } from './jobs.js';

/** Files of the archive that `campaign export-work` writes. */
export const WORK_FILES = { about: 'work.json', batches: 'batches.jsonl' } as const;
/** Files of the archive that `run-offline` writes: the node as in an EnrolmentRequest, and lines of results. */
export const RESULT_FILES = { node: 'node.json', results: 'results.jsonl' } as const;

/** The contents of `work.json` about the batches in the same archive. */
export const WorkAboutSchema = z.strictObject({
  schema: z.literal('alphaflops.work/1'),
  campaignId: IdSchema,
  campaignName: z.string(),
  coordinatorVersion: z.string(),
  protocolVersion: z.int().describe('of the worker protocol: the node needs the same'),
  exportedAt: TimestampSchema,
});
export type WorkAbout = z.infer<typeof WorkAboutSchema>;

/** A batch that a node without a network has measured. */
export const OfflineResultSchema = z
  .strictObject({
    targetId: IdSchema.describe('the device or device class that the batch is for'),
    batchIndex: z.int().min(0),
    seal: SealSchema,
    body: z.base64().describe('the signed bytes: JSON, compressed with gzip, in base64'),
  })
  .meta({ id: 'OfflineResult' });
export type OfflineResult = z.infer<typeof OfflineResultSchema>;

/** One line of `results.jsonl`. */
export const OfflineResultLineSchema = OfflineResultSchema.extend({ campaignId: IdSchema });
export type OfflineResultLine = z.infer<typeof OfflineResultLineSchema>;
