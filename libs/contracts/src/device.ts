import { z } from 'zod';
import { IdSchema, LabelsSchema, LineSchema, PageQuerySchema, TimestampSchema } from './ids.js';
import { ProvenanceSchema } from './measurement.js';

const gpuProperties = {
  computeCapability: z
    .string()
    .regex(/^\d+\.\d+$/)
    .optional()
    .describe('of an NVIDIA GPU, such as 9.0'),
  cudnnDeviceProperties: z
    .string()
    .max(8000)
    .optional()
    .describe('JSON by which cuDNN chooses kernels for this device, as cuDNN 9.8 or newer writes it'),
};

/** What a probe finds: one accelerator that one executor can drive. */
export const DeviceDescriptionSchema = z
  .strictObject({
    uuid: LineSchema.min(1).max(120).describe('of the physical device, stable over restarts'),
    sku: LineSchema.min(1).max(200),
    kind: z.enum(['cpu', 'gpu']),
    executor: IdSchema,
    memoryBytes: z.number().int().min(0).nullable(),
    smCount: z.int().min(1).nullable().describe('multiprocessors; null where the word has no meaning'),
    ...gpuProperties,
    provenance: ProvenanceSchema,
  })
  .meta({ id: 'DeviceDescription' });
export type DeviceDescription = z.infer<typeof DeviceDescriptionSchema>;

/** What a model is of: SKU + executor + library versions + math mode. */
export const DeviceClassSchema = z
  .strictObject({
    id: IdSchema,
    sku: z.string(),
    kind: z.enum(['cpu', 'gpu']),
    executor: IdSchema,
    libraries: z.record(z.string(), z.string()),
    mathMode: z.string(),
    smCount: z.int().nullable(),
    memoryBytes: z.number().nullable(),
    createdAt: TimestampSchema,
  })
  .meta({ id: 'DeviceClass' });
export type DeviceClass = z.infer<typeof DeviceClassSchema>;

/** One physical accelerator as one executor sees it. */
export const DeviceSchema = z
  .object({
    id: IdSchema,
    uuid: z.string(),
    sku: z.string(),
    deviceClassId: IdSchema,
    workerId: IdSchema.describe('the worker that drives it now'),
    provenanceId: z.string().describe('digest of the newest provenance record'),
    ...gpuProperties,
    createdAt: TimestampSchema,
    updatedAt: TimestampSchema,
  })
  .meta({ id: 'Device' });
export type Device = z.infer<typeof DeviceSchema>;

/** What the operator wants of a worker. `revoked` is final. */
export const WORKER_DESIRED_STATES = ['active', 'paused', 'draining', 'revoked'] as const;
export const WorkerDesiredStateSchema = z.enum(WORKER_DESIRED_STATES);
export type WorkerDesiredState = z.infer<typeof WorkerDesiredStateSchema>;

/** The raw 32 bytes of an Ed25519 public key, base64url (the `x` of its JWK). */
export const PublicKeySchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be an Ed25519 key in base64url');

/** An enrolled agent. `presence` follows from the age of the last heartbeat. */
export const WorkerSchema = z
  .object({
    id: IdSchema,
    name: z.string(),
    labels: LabelsSchema,
    version: z.string(),
    deviceIds: z.array(IdSchema),
    desiredState: WorkerDesiredStateSchema,
    stateReason: z.string().nullable(),
    presence: z.enum(['online', 'offline', 'stale']),
    activity: z.enum(['idle', 'measuring', 'stopped']).describe('as the worker last said'),
    disturbance: z
      .string()
      .max(400)
      .nullable()
      .optional()
      .describe('why all that it measures is noisy, as it last said; null or absent: it is not'),
    enrolledAt: TimestampSchema,
    lastHeartbeatAt: TimestampSchema.nullable(),
    publicKey: PublicKeySchema.nullable()
      .default(null)
      .describe('samples are signed with its other half; null: enrolled before they were'),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof WorkerSchema>;

export const DeviceQuerySchema = PageQuerySchema.extend({ deviceClassId: IdSchema.optional() });
