import { z } from 'zod';
import {
  DeviceDescriptionSchema,
  PublicKeySchema,
  WorkerDesiredStateSchema,
  WorkerSchema,
} from './device.js';
import { IdSchema, LabelsSchema, LineSchema, TimestampSchema } from './ids.js';

/** Version of the protocol between workers and coordinator. Workers of other versions must upgrade. */
export const WORKER_PROTOCOL_VERSION = 6;

export const JoinTokenRequestSchema = z
  .object({
    name: LineSchema.max(120).default(''),
    expiresInS: z
      .int()
      .min(10)
      .max(30 * 24 * 3600)
      .default(3600),
    maxUses: z.int().min(1).max(10_000).default(1),
    labels: LabelsSchema.prefault({}).describe('labels of every worker that joins with this token'),
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
    .describe('shown once; only its digest is stored. After a dot: the pin of a self-signed certificate'),
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

/** The input of a worker for its start: the ids of its devices, which name its queues. */
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
