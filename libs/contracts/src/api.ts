import { z } from 'zod';
import { CampaignSchema, CampaignStateSchema } from './campaign.js';
import { ConvSpecSchema, MAX_AXIS } from './conv-spec.js';
import {
  DeviceDescriptionSchema,
  PublicKeySchema,
  WorkerDesiredStateSchema,
  WorkerSchema,
} from './device.js';
import {
  GivenTimeSchema,
  IdSchema,
  LabelsSchema,
  LineSchema,
  PageQuerySchema,
  TimestampSchema,
} from './ids.js';
import { KernelNameSchema } from './kernel.js';
import { OutcomeSchema } from './measurement.js';
import { PredictionSchema } from './model.js';
import { TrainingRequestSchema, TrainingSchema } from './training.js';

/** Version of what workers and coordinator say to each other; other versions have to upgrade. */
export const WORKER_PROTOCOL_VERSION = 5;

const reason = LineSchema.min(1).max(500);

export const JoinTokenRequestSchema = z
  .object({
    name: LineSchema.max(120).default(''),
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
  token: z
    .string()
    .describe(
      'shown once; only its digest is stored. After a dot: the pin of a certificate that signs itself',
    ),
  command: z.string().describe('the line to paste on the machine that joins'),
}).meta({ id: 'NewJoinToken' });
export type NewJoinToken = z.infer<typeof NewJoinTokenSchema>;

/**
 * The parts of a join token as people paste it: `SECRET` or `SECRET.PIN`. The secret alone goes to the coordinator. The
 * pin is that of its certificate (SHA-256 of the public key, base64url).
 */
export function partsOfJoinToken(text: string): { secret: string; pin: string | null } {
  const [secret = '', pin] = text.split('.', 2);
  return { secret, pin: pin ?? null };
}

const devices = z.array(DeviceDescriptionSchema).min(1).max(64);

export const EnrolmentRequestSchema = z
  .object({
    name: LineSchema.min(1).max(120),
    version: LineSchema.min(1).max(80),
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
  })
  .meta({ id: 'Enrolment' });
export type Enrolment = z.infer<typeof EnrolmentSchema>;

export const SessionRequestSchema = z
  .object({ version: LineSchema.min(1).max(80), protocolVersion: z.int(), devices })
  .strict()
  .meta({ id: 'SessionRequest' });
export type SessionRequest = z.infer<typeof SessionRequestSchema>;

/** What a worker needs to begin: the ids of its devices, which name its queues. */
export const SessionSchema = z
  .object({
    worker: WorkerSchema,
    devices: z.array(
      z.object({ uuid: z.string(), executor: IdSchema, deviceId: IdSchema, deviceClassId: IdSchema }),
    ),
    heartbeatS: z.number().gt(0),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof SessionSchema>;

export const HeartbeatRequestSchema = z
  .object({
    activity: WorkerSchema.shape.activity,
    disturbance: WorkerSchema.shape.disturbance,
    protocolVersion: z.int().optional().describe('absent: older than this field'),
  })
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
    totalSlots: z.int().describe('plannedSlots and those of rounds to come, at most'),
    specs: z
      .array(ConvSpecSchema)
      .describe('planned ConvSpecs in the order of measuring; of a large plan, evenly spread ones'),
    leastSeconds: z
      .number()
      .describe('warm-up and timed runs of totalSlots on one device of each target; a campaign takes longer'),
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
      'of csv. needed: those of optional fields (strides by axis, dilation, pads, pass) only where a sample has one, which is looked up first; all: always',
    ),
});

/** Most parts of the time that one request counts samples in. */
const MAX_COUNTS = 200;

export const SampleCountsQuerySchema = z.strictObject({
  recordedFrom: GivenTimeSchema,
  recordedTo: GivenTimeSchema,
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

/** A network file without its weights is far smaller; the limit of a request's body is another one. */
export const MAX_NETWORK_FILE_BYTES = 16 * 2 ** 20;
const MAX_NETWORK_FILE_BASE64 = Math.ceil((4 * MAX_NETWORK_FILE_BYTES) / 3);

/** Weight files of one model. */
const MAX_WEIGHT_FILES = 100;

const InputShapeSchema = z.array(z.int().min(1).max(MAX_AXIS)).min(1).max(8);

export const NetworkFileSchema = z
  .object({
    file: z
      .base64()
      .max(MAX_NETWORK_FILE_BASE64)
      .describe(
        'ONNX, Keras JSON or .keras archive, a TensorFlow.js model.json, or a list of layers, in base64; weights are not needed',
      ),
    batch: z.int().min(1).max(MAX_AXIS).optional().describe('where the file leaves it open; 1 by default'),
    inputShape: InputShapeSchema.optional().describe(
      'all sizes of the first input, where the file leaves more open',
    ),
    inputs: z
      .record(z.string().max(500), InputShapeSchema)
      .optional()
      .describe('all sizes of inputs, by their names'),
    weights: z
      .record(z.string().max(500), z.base64().max(MAX_NETWORK_FILE_BASE64))
      .refine((files) => Object.keys(files).length <= MAX_WEIGHT_FILES, {
        message: `at most ${MAX_WEIGHT_FILES} files`,
      })
      .optional()
      .describe(
        'the .bin files of a TensorFlow.js model by the names in its weightsManifest, in base64: small constants in them are sizes',
      ),
  })
  .strict()
  .meta({ id: 'NetworkFile' });

const NotCostedSchema = z.object({
  op: z.string(),
  count: z.int(),
  reason: z.string(),
  macs: z.number().nullable().describe('multiply-adds of all of them; null where they are not known'),
});

/** How much of a network its total covers: part of the total where a network file was sent. */
const CompletenessSchema = z.object({
  isComplete: z.boolean().describe('all layers that multiply are costed, and every operator is known'),
  layersFound: z.int().describe('layers that multiply'),
  layersCosted: z.int(),
  missing: z.array(NotCostedSchema).describe('layers that multiply, or may, and are not part of the total'),
  missingMacs: z.number().describe('their multiply-adds, as far as they are known'),
  missingShare: z
    .number()
    .nullable()
    .describe('at least this share of all multiply-adds is missing; null: unknown'),
  firstLoss: z
    .object({ name: z.string(), op: z.string() })
    .nullable()
    .describe('the first operator at which a size was lost that a missing layer needs'),
});

/** What was read from a network file; the predictions stand in the order of `layers`. */
export const NetworkSchema = z
  .object({
    format: z.enum(['onnx', 'keras', 'tfjs-layers', 'tfjs-graph', 'layer-list']),
    name: z.string().nullable(),
    batch: z.int().min(1).describe('images at a time'),
    layers: z.array(
      z.object({
        name: z.string(),
        op: z.string(),
        spec: ConvSpecSchema,
        note: z.string().nullable().describe('in what the spec differs from the layer'),
      }),
    ),
    notCosted: z.array(
      NotCostedSchema.extend({ reason: z.string().nullable().describe('null: does not multiply') }),
    ),
  })
  .meta({ id: 'Network' });

export const PredictionRequestSchema = z
  .object({
    model: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('model'), modelId: IdSchema }),
        z.strictObject({ kind: z.literal('device-class'), deviceClassId: IdSchema }),
        z.strictObject({ kind: z.literal('device'), deviceId: IdSchema }),
      ])
      .describe('one model, or the one served for a device class or device'),
    form: z
      .string()
      .max(40)
      .optional()
      .describe('a form of the model; by default the chosen one, which alone has an interval'),
    layers: z.array(ConvSpecSchema).min(1).max(MAX_LAYERS).optional(),
    kernels: z
      .array(KernelNameSchema.nullable())
      .max(MAX_LAYERS)
      .optional()
      .describe(
        'of the layers, in their order: the kernels that run them; null: not known, the model assumes one',
      ),
    network: NetworkFileSchema.optional(),
    inferencesPerPass: z
      .int()
      .min(1)
      .max(MAX_AXIS)
      .optional()
      .describe(
        'images that one pass over the layers answers for; by default those of the network file, else 1',
      ),
    gridIntensityGramsPerKwh: z
      .number()
      .positive()
      .optional()
      .describe('gCO2e of a kWh where the device runs: then there are emissions'),
    training: TrainingRequestSchema.optional().describe('ask for the backward passes too'),
  })
  .strict()
  .refine(({ layers, network }) => (layers === undefined) !== (network === undefined), {
    path: ['layers'],
    message: 'give either layers or a network',
  })
  .refine(({ layers, kernels }) => kernels === undefined || kernels.length === layers?.length, {
    path: ['kernels'],
    message: 'give one kernel, or null, for each of the layers',
  })
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
      lowerMs: z.number().nullable().describe('errors of layers partly cancel: docs/models.md'),
      upperMs: z.number().nullable(),
      energyMj: z.number().nullable().describe('null where a layer has none'),
      lowerEnergyMj: z.number().nullable(),
      upperEnergyMj: z.number().nullable(),
      energyWh: z.number().nullable(),
      layersOutsideDomain: z.int(),
      ...CompletenessSchema.partial().shape,
    }),
    emissions: z
      .object({
        gridIntensityGramsPerKwh: z.number(),
        inferencesPerPass: z.int(),
        perInference: z.object({
          grams: z.number(),
          lowerGrams: z.number().nullable(),
          upperGrams: z.number().nullable(),
        }),
        perMillionInferences: z.object({
          kilograms: z.number(),
          lowerKilograms: z.number().nullable(),
          upperKilograms: z.number().nullable(),
        }),
      })
      .nullable()
      .optional()
      .describe('CO2e, where a grid intensity was given; null where a layer has no energy'),
    network: NetworkSchema.optional().describe('what was read from the file that was sent'),
    training: TrainingSchema.optional().describe(
      'where it was asked for; its steps are of inferencesPerPass samples',
    ),
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
