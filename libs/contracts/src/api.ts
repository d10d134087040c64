import { z } from 'zod';
import { CampaignSchema, CampaignStateSchema } from './campaign.js';
import { ConvSpecSchema } from './conv-spec.js';
import {
  DeviceDescriptionSchema,
  PublicKeySchema,
  WorkerDesiredStateSchema,
  WorkerSchema,
} from './device.js';
import { IdSchema, LabelsSchema, PageQuerySchema, TimestampSchema } from './ids.js';
import { OutcomeSchema } from './measurement.js';
import { PredictionSchema } from './model.js';

/** Version of what workers and coordinator say to each other; other versions are told to upgrade. */
export const WORKER_PROTOCOL_VERSION = 2;

const reason = z.string().min(1).max(500);

export const JoinTokenRequestSchema = z
  .object({
    name: z.string().max(120).default(''),
    expiresInS: z
      .int()
      .min(10)
      .max(30 * 24 * 3600)
      .default(3600),
    maxUses: z.int().min(1).max(10_000).default(1),
    labels: LabelsSchema.prefault({}).describe('given to every worker that joins with it'),
  })
  .strict()
  .meta({ id: 'JoinTokenRequest' });
export type JoinTokenRequest = z.infer<typeof JoinTokenRequestSchema>;

export const JoinTokenSchema = z
  .object({
    id: IdSchema,
    name: z.string(),
    labels: LabelsSchema,
    createdAt: TimestampSchema,
    expiresAt: TimestampSchema,
    maxUses: z.int(),
    uses: z.int(),
    revokedAt: TimestampSchema.nullable(),
  })
  .meta({ id: 'JoinToken' });
export type JoinToken = z.infer<typeof JoinTokenSchema>;

export const NewJoinTokenSchema = JoinTokenSchema.extend({
  token: z.string().describe('shown once; only its digest is stored'),
  command: z.string().describe('what to run on the machine that joins'),
}).meta({ id: 'NewJoinToken' });
export type NewJoinToken = z.infer<typeof NewJoinTokenSchema>;

const devices = z.array(DeviceDescriptionSchema).min(1).max(64);

export const EnrolmentRequestSchema = z
  .object({
    name: z.string().min(1).max(120),
    version: z.string().min(1).max(80),
    protocolVersion: z.int(),
    publicKey: PublicKeySchema.describe('Ed25519; the samples of this worker are signed with its other half'),
    labels: LabelsSchema.prefault({}),
    devices,
  })
  .strict()
  .meta({ id: 'EnrolmentRequest' });
export type EnrolmentRequest = z.infer<typeof EnrolmentRequestSchema>;

export const EnrolmentSchema = z
  .object({
    worker: WorkerSchema,
    workerToken: z.string().describe('bearer token of this worker; shown once'),
    queuePassword: z.string().describe('of the Redis user of this worker; shown once'),
  })
  .meta({ id: 'Enrolment' });
export type Enrolment = z.infer<typeof EnrolmentSchema>;

export const SessionRequestSchema = z
  .object({ version: z.string().min(1).max(80), protocolVersion: z.int(), devices })
  .strict()
  .meta({ id: 'SessionRequest' });
export type SessionRequest = z.infer<typeof SessionRequestSchema>;

/** What a worker needs to begin: where its queues are and which of them are its own. */
export const SessionSchema = z
  .object({
    worker: WorkerSchema,
    queue: z.object({ url: z.string(), username: z.string() }),
    devices: z.array(
      z.object({ uuid: z.string(), executor: IdSchema, deviceId: IdSchema, deviceClassId: IdSchema }),
    ),
    heartbeatS: z.number().gt(0),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof SessionSchema>;

export const HeartbeatRequestSchema = z
  .object({ activity: WorkerSchema.shape.activity })
  .strict()
  .meta({ id: 'HeartbeatRequest' });
export type HeartbeatRequest = z.infer<typeof HeartbeatRequestSchema>;

export const HeartbeatSchema = z
  .object({ desiredState: WorkerDesiredStateSchema, reason: z.string().nullable() })
  .meta({ id: 'Heartbeat' });
export type Heartbeat = z.infer<typeof HeartbeatSchema>;

export const ReasonSchema = z
  .object({ reason: reason.default('asked for by the operator') })
  .strict()
  .prefault({})
  .meta({ id: 'Reason' });

/** What a request for a campaign would plan; nothing is stored. */
export const CampaignPreviewSchema = CampaignSchema.pick({
  deviceClassId: true,
  protocol: true,
  plannedSpecs: true,
  plannedSlots: true,
  rounds: true,
  excluded: true,
})
  .extend({
    specs: z
      .array(ConvSpecSchema)
      .describe('planned ConvSpecs in the order of measuring; of a large plan, evenly spread ones'),
    leastSeconds: z
      .number()
      .describe('warm-up and timed runs of all slots on one device of each target; a campaign takes longer'),
    timesFrom: z
      .enum(['model', 'protocol'])
      .describe('model: expected by the newest model; protocol: no model yet, the shortest that it allows'),
  })
  .meta({ id: 'CampaignPreview' });
export type CampaignPreview = z.infer<typeof CampaignPreviewSchema>;

export const CampaignQuerySchema = PageQuerySchema.extend({
  state: CampaignStateSchema.optional(),
  deviceClassId: IdSchema.optional(),
});

export const SampleQuerySchema = z.object({
  campaignId: IdSchema.optional(),
  deviceClassId: IdSchema.optional(),
  deviceId: IdSchema.optional(),
  workerId: IdSchema.optional(),
  outcome: OutcomeSchema.optional(),
  recordedFrom: TimestampSchema.optional(),
  recordedTo: TimestampSchema.optional(),
});
export const SamplePageQuerySchema = PageQuerySchema.extend(SampleQuerySchema.shape);
export const SampleStreamQuerySchema = SampleQuerySchema.extend({
  format: z.enum(['jsonl', 'csv']).default('jsonl').describe('csv: ok samples only, canonical columns'),
});

export const DeviceQuerySchema = PageQuerySchema.extend({ deviceClassId: IdSchema.optional() });
export const ModelQuerySchema = PageQuerySchema.extend({ deviceClassId: IdSchema.optional() });

export const FitStateSchema = z
  .object({
    id: IdSchema,
    state: z.enum(['waiting', 'active', 'completed', 'failed']),
    modelId: IdSchema.nullable(),
    reason: z.string().nullable().describe('of a failure; or why the model is only a candidate'),
  })
  .meta({ id: 'FitState' });
export type FitState = z.infer<typeof FitStateSchema>;

/** Most layers in one request for predictions. */
export const MAX_LAYERS = 10_000;

export const PredictionRequestSchema = z
  .object({
    model: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('model'), modelId: IdSchema }),
        z.object({ kind: z.literal('device-class'), deviceClassId: IdSchema }),
        z.object({ kind: z.literal('device'), deviceId: IdSchema }),
      ])
      .describe('one model, or the one served for a device class or device'),
    form: z
      .string()
      .max(40)
      .optional()
      .describe('a form of the model; by default the chosen one, which alone has an interval'),
    layers: z.array(ConvSpecSchema).min(1).max(MAX_LAYERS),
  })
  .strict()
  .meta({ id: 'PredictionRequest' });
export type PredictionRequest = z.infer<typeof PredictionRequestSchema>;

export const PredictionsSchema = z
  .object({
    modelId: IdSchema,
    layers: z.array(PredictionSchema),
    total: z.object({
      macs: z.number(),
      flops: z.number(),
      alphaFlops: z.number(),
      predictedMs: z.number(),
      layersOutsideDomain: z.int(),
    }),
  })
  .meta({ id: 'Predictions' });
export type Predictions = z.infer<typeof PredictionsSchema>;

export const HealthSchema = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    checks: z.record(z.string(), z.string()).describe('part → ok, or what is wrong'),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof HealthSchema>;
