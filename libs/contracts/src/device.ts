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
    .describe('properties of the device as JSON from cuDNN 9.8 or newer; cuDNN chooses kernels by them'),
};

/** The result of a probe: one accelerator that one executor can use. */
export const DeviceDescriptionSchema = z
  .strictObject({
    uuid: LineSchema.min(1).max(120).describe('of the physical device, stable over restarts'),
    sku: LineSchema.min(1).max(200),
    kind: z.enum(['cpu', 'gpu']),
    executor: IdSchema,
    memoryBytes: z.number().int().min(0).nullable(),
    smCount: z.int().min(1).nullable().describe('multiprocessors; null for devices without them'),
    ...gpuProperties,
    provenance: ProvenanceSchema,
  })
  .meta({ id: 'DeviceDescription' });
export type DeviceDescription = z.infer<typeof DeviceDescriptionSchema>;

/** A model describes one device class: SKU + executor + library versions + math mode. */
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

/** One physical accelerator with one executor. */
export const DeviceSchema = z
  .object({
    id: IdSchema,
    uuid: z.string(),
    sku: z.string(),
    deviceClassId: IdSchema,
    workerId: IdSchema.describe('the worker that uses it now'),
    provenanceId: z.string().describe('digest of the newest provenance record'),
    ...gpuProperties,
    createdAt: TimestampSchema,
    updatedAt: TimestampSchema,
  })
  .meta({ id: 'Device' });
export type Device = z.infer<typeof DeviceSchema>;

/** The state that the operator desires for a worker. `revoked` is final. */
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
    activity: z.enum(['idle', 'measuring', 'stopped']).describe('the last report of the worker'),
    disturbance: z
      .string()
      .max(400)
      .nullable()
      .optional()
      .describe('why all of its measurements are noisy, by its last report; null or absent: they are not'),
    enrolledAt: TimestampSchema,
    lastHeartbeatAt: TimestampSchema.nullable(),
    publicKey: PublicKeySchema.nullable()
      .default(null)
      .describe('samples are signed with its other half; null: enrolled before they were'),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof WorkerSchema>;

export const DeviceQuerySchema = PageQuerySchema.extend({ deviceClassId: IdSchema.optional() });
