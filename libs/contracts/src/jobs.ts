import { z } from 'zod';
import { FitRequestSchema } from './campaign.js';
import { CampaignStopSchema, LearningPointSchema } from './learning.js';
import { ConvSpecSchema } from './conv-spec.js';
import { IdSchema, TimestampSchema } from './ids.js';
import { LabelKernelsJobSchema } from './kernel-map.js';
import { ProtocolSchema, ProvenanceSchema } from './measurement.js';
import { SignatureSchema, SlotResultSchema } from './sample.js';

/** One batch of ConvSpecs for one target: one queue job. */
export const MeasureJobSchema = z
  .object({
    campaignId: IdSchema,
    targetId: IdSchema,
    batchIndex: z.int().min(0),
    protocol: ProtocolSchema,
    slots: z
      .array(z.object({ specIndex: z.int().min(0), replicate: z.int().min(0), spec: ConvSpecSchema }))
      .min(1)
      .max(10_000),
  })
  .meta({ id: 'MeasureJob' });
export type MeasureJob = z.infer<typeof MeasureJobSchema>;

/** A re-run of anchor specs that a device has failed: docs/decisions/0006-drift.md. */
export const AnchorRunSchema = z.object({
  startedAt: TimestampSchema.describe('by the clock of the worker, which also started the samples'),
  ratios: z
    .array(z.number().gt(0))
    .min(1)
    .max(64)
    .describe('present time divided by the time at the start, for each anchor'),
  batches: z
    .array(MeasureJobSchema.pick({ campaignId: true, targetId: true, batchIndex: true }))
    .min(1)
    .max(10_000)
    .describe('measured on the device since its last good run'),
  signature: SignatureSchema.describe('over all of this and the ids of the worker and its device'),
});
export type AnchorRun = z.infer<typeof AnchorRunSchema>;

const measuredBy = { workerId: IdSchema, deviceId: IdSchema, attempt: z.int().min(1) };

/** The result of a batch. It is the body of a sealed result: JSON, compressed with gzip. */
export const MeasureResultSchema = z.object({
  ...measuredBy,
  provenance: ProvenanceSchema,
  results: z.array(SlotResultSchema).min(1).max(10_000),
  anchors: AnchorRunSchema.optional().describe('the newest run, if the device had drifted'),
});
export type MeasureResult = z.infer<typeof MeasureResultSchema>;

/** Signs and identifies the body of a result, which is sent separately: docs/decisions/0011-sealed-batches.md. */
export const SealSchema = z
  .object({
    ...measuredBy,
    batchDigest: z.string().length(64).describe('sha-256 of the batch that the worker received, in hex'),
    signature: SignatureSchema.describe('of the worker, over the bytes of the body and all of the above'),
  })
  .strict();
export type Seal = z.infer<typeof SealSchema>;

/** Fit a device class from its stored samples and publish the model. */
export const FitJobSchema = z.object({
  /** Only for a fit that a client requested: it publishes one model, also when the job starts more than once. */
  id: IdSchema.optional(),
  deviceClassId: IdSchema,
  campaignId: IdSchema.nullable(),
  request: FitRequestSchema,
});
export type FitJob = z.infer<typeof FitJobSchema>;

export const FitResultSchema = z
  .object({
    modelId: IdSchema,
    candidateReason: z.string().optional().describe('why the model is a candidate; absent: it is published'),
    keptBack: z
      .string()
      .optional()
      .describe('the former name of `candidateReason`: results in the queue have it'),
  })
  .transform(({ modelId, keptBack, candidateReason = keptBack }) => ({
    modelId,
    ...(candidateReason !== undefined && { candidateReason }),
  }));
export type FitResult = z.infer<typeof FitResultSchema>;

/** Plan the next round of a campaign after its previous rounds are measured. */
export const PlanRoundJobSchema = z.object({
  campaignId: IdSchema,
  round: z.int().min(2).describe('the round to plan; the first round is planned with the campaign'),
});
export type PlanRoundJob = z.infer<typeof PlanRoundJobSchema>;

/** The result of planning a round. The specs of a planned round are in the store, from `start` on. */
export const PlanRoundResultSchema = z.discriminatedUnion('planned', [
  z.object({
    planned: z.literal(true),
    start: z.int().min(0),
    specs: z.int().min(1),
    excluded: z.record(z.string(), z.int().min(0)).describe('candidates left out, by reason'),
    reason: z.string().describe('description for the history'),
    learning: LearningPointSchema.optional(),
  }),
  z.object({
    planned: z.literal(false),
    reason: z.string().describe('why there is no such round'),
    learning: LearningPointSchema.optional(),
    stop: CampaignStopSchema.optional().describe('the campaign must stop for this reason'),
  }),
]);
export type PlanRoundResult = z.infer<typeof PlanRoundResultSchema>;

/**
 * Every job: name → payload and result. Both ends parse with these schemas. The result of a job of `WORKER_JOBS` is the
 * seal of its body.
 */
export const JOBS = {
  measure: { version: 2, payload: MeasureJobSchema, result: SealSchema },
  'label-kernels': { version: 1, payload: LabelKernelsJobSchema, result: SealSchema },
  fit: { version: 1, payload: FitJobSchema, result: FitResultSchema },
  'plan-round': { version: 2, payload: PlanRoundJobSchema, result: PlanRoundResultSchema },
} as const;
export type JobName = keyof typeof JOBS;
export type JobPayload<N extends JobName> = z.infer<(typeof JOBS)[N]['payload']>;
export type JobResult<N extends JobName> = z.infer<(typeof JOBS)[N]['result']>;

/** Jobs of workers. Each job has one queue per target: `measure.v2.<targetId>`. */
export const WORKER_JOBS = ['measure', 'label-kernels'] as const satisfies readonly JobName[];
export type WorkerJobName = (typeof WORKER_JOBS)[number];
