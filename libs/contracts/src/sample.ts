import { z } from 'zod';
import { ConvSpecSchema } from './conv-spec.js';
import { acceptingFormerEnergyNames } from './energy-names.js';
import { IdSchema, TimestampSchema } from './ids.js';
import { KernelSchema } from './kernel.js';
import { MeasurementSchema, OutcomeSchema, SampleTimingSchema, ConditionsSchema } from './measurement.js';

/**
 * One stored measurement. At most one counts for each slot (campaignId, targetId, specIndex, replicate):
 * docs/decisions/0003-slots.md. It changes only when its device has drifted. It then becomes `drifted` and leaves its slot,
 * which is measured again (0006-drift.md).
 */
export const SampleSchema = z
  .object({
    id: IdSchema,
    campaignId: IdSchema,
    targetId: IdSchema.describe('device class or device that the campaign requested'),
    specIndex: z.int().min(0),
    replicate: z.int().min(0),
    attempt: z.int().min(1),
    batchIndex: z.int().min(0),
    specKey: z.string(),
    spec: ConvSpecSchema,
    deviceId: IdSchema.nullable().describe('null when no worker completed the batch'),
    deviceClassId: IdSchema,
    workerId: IdSchema.nullable(),
    protocol: z.object({ name: z.string(), version: z.int() }),
    provenanceId: z.string().nullable().describe('sha-256 of the provenance record'),
    outcome: OutcomeSchema,
    reason: z.string().nullable(),
    timing: acceptingFormerEnergyNames(SampleTimingSchema.nullable()),
    conditions: z.object({ before: ConditionsSchema, after: ConditionsSchema }).nullable(),
    algorithm: z.string().nullable(),
    workspaceBytes: z.number().nullable(),
    kernel: KernelSchema.optional().describe('absent if it is not known which kernel ran'),
    powerLimited: z.boolean().optional().describe('true: the power limit held the clock down'),
    setAside: z
      .int()
      .min(1)
      .optional()
      .describe('only for drifted samples: how many samples have left the slot, including this one'),
    startedAt: TimestampSchema,
    recordedAt: TimestampSchema,
    signature: z
      .string()
      .nullable()
      .default(null)
      .describe('of the worker (Ed25519, base64url); null if no worker sent a result'),
    importedAt: TimestampSchema.optional().describe(
      'time of the import; the import removed its signature, if it had one; absent: a worker of this deployment measured it',
    ),
  })
  .meta({ id: 'Sample' });
export type Sample = z.infer<typeof SampleSchema>;

/** Ed25519, base64url. */
export const SignatureSchema = z.string().regex(/^[A-Za-z0-9_-]{86}$/);

/** The result of a worker for one slot of a batch. */
export const SlotResultSchema = z.object({
  specIndex: z.int().min(0),
  replicate: z.int().min(0),
  startedAt: TimestampSchema,
  measurement: MeasurementSchema,
  signature: SignatureSchema.describe('of the worker: docs/decisions/0005-signed-samples.md'),
});
export type SlotResult = z.infer<typeof SlotResultSchema>;
