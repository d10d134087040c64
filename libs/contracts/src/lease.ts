import { z } from 'zod';
import { IdSchema } from './ids.js';
import { JOBS, type JobPayload, WORKER_JOBS, type WorkerJobName } from './jobs.js';

/** Largest number of leases in one request. A worker has two per device, and those of results that are not stored yet. */
const MAX_LEASES = 256;

/** Identifies one lease: the right of one worker to a job, for a limited time. */
export const LeaseRefSchema = z
  .object({
    job: z.enum(WORKER_JOBS),
    targetId: IdSchema.describe('the device or device class whose queue the job comes from'),
    id: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,200}$/)
      .describe('of the job in its queue'),
    token: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,119}\.[A-Za-z0-9_-]{22}$/)
      .describe('<worker id>.<random>: only its holder can renew or end the lease'),
    attempt: z.int().min(1).describe('how often the job was started, including this time'),
  })
  .strict()
  .meta({ id: 'LeaseRef' });
export type LeaseRef = z.infer<typeof LeaseRefSchema>;

export const LeaseRequestSchema = z
  .object({
    jobs: z
      .array(z.enum(WORKER_JOBS))
      .min(1)
      .max(WORKER_JOBS.length)
      .describe('kinds of jobs that the worker supports'),
    targetIds: z.array(IdSchema).min(1).max(4).describe('a device of the worker, and its device class'),
  })
  .strict()
  .meta({ id: 'LeaseRequest' });
export type LeaseRequest = z.infer<typeof LeaseRequestSchema>;

const leaseFields = {
  ...LeaseRefSchema.shape,
  leaseMs: z.int().min(1).describe('the lease ends when it is not renewed for this time'),
};

/** A job, and the lease for it. */
export const LeaseSchema = z
  .discriminatedUnion('job', [
    z.object({ ...leaseFields, job: z.literal('measure'), payload: JOBS.measure.payload }),
    z.object({ ...leaseFields, job: z.literal('label-kernels'), payload: JOBS['label-kernels'].payload }),
  ])
  .meta({ id: 'Lease' });
/** The same with the types of one job. */
export type Lease<N extends WorkerJobName = WorkerJobName> = LeaseRef & {
  job: N;
  leaseMs: number;
  payload: JobPayload<N>;
};

export const LeaseRenewalRequestSchema = z
  .object({ leases: z.array(LeaseRefSchema).min(1).max(MAX_LEASES) })
  .strict()
  .meta({ id: 'LeaseRenewalRequest' });
export type LeaseRenewalRequest = z.infer<typeof LeaseRenewalRequestSchema>;

export const LeaseRenewalSchema = z
  .object({
    lost: z.array(z.string()).describe('tokens of ended leases; other workers may have their jobs now'),
  })
  .meta({ id: 'LeaseRenewal' });
export type LeaseRenewal = z.infer<typeof LeaseRenewalSchema>;

export const LeaseReturnSchema = z.object({ lease: LeaseRefSchema }).strict().meta({ id: 'LeaseReturn' });
export type LeaseReturn = z.infer<typeof LeaseReturnSchema>;

export const LeaseFailureSchema = z
  .object({ lease: LeaseRefSchema, reason: z.string().min(1).max(2000) })
  .strict()
  .meta({ id: 'LeaseFailure' });
export type LeaseFailure = z.infer<typeof LeaseFailureSchema>;

/** Headers of a result, both JSON. The documentation of the job describes the body. */
export const RESULT_HEADERS = {
  /** A LeaseRef. */
  lease: 'alphaflops-lease',
  /** The result of the job as in `JOBS`. */
  seal: 'alphaflops-seal',
} as const;
