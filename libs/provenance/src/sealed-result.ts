import { type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import {
  type LabelKernelsJob,
  type MeasureJob,
  type MeasureResult,
  MeasureResultSchema,
  type Seal,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { canonicalJson } from './canonical-json.js';
import { digestOf } from './digest.js';
import { publicKeyOf } from './public-key.js';

/** The prefix of every signed text, as for samples: a signature of other data is never valid for a batch. */
const CONTEXT = 'alphaflops.batch/1';
/** A few kB may expand to any size. Results that are larger than any batch are not unpacked. */
const MAX_BYTES = 256 * 1024 * 1024;

const BodySchema = MeasureResultSchema.omit({ workerId: true, deviceId: true, attempt: true });

/** Returns the digest of the job of a batch. A batch that was changed in transit has a different digest. */
export function batchDigest({ campaignId, targetId, batchIndex, protocol, slots }: MeasureJob): string {
  const slotKeys = slots.map(
    ({ specIndex, replicate, spec }) => `${specIndex} ${replicate} ${specKey(spec)}`,
  );
  return digestOf({ campaignId, targetId, batchIndex, protocol, slots: slotKeys });
}

/** Returns the digest of a job that labels kernels, for the same purpose. */
export function labelJobDigest(job: LabelKernelsJob): string {
  return digestOf(job);
}

/** The result of a job in transit. */
export interface SealedResult {
  readonly seal: Seal;
  /** The result as JSON, compressed with gzip. For a batch, it contains the remaining fields of the MeasureResult. */
  readonly body: Uint8Array;
}

/** Packs the result of a batch, and signs it together with its position. */
export async function sealResult(
  job: MeasureJob,
  { workerId, deviceId, attempt, ...rest }: MeasureResult,
  privateKey: KeyObject,
): Promise<SealedResult> {
  return seal({ workerId, deviceId, attempt, batchDigest: batchDigest(job) }, rest, privateKey);
}

/** Packs the result of a job, and signs it together with its position. */
export async function seal(
  label: Omit<Seal, 'signature'>,
  content: unknown,
  privateKey: KeyObject,
): Promise<SealedResult> {
  const body = await promisify(gzip)(JSON.stringify(content), { level: constants.Z_BEST_SPEED });
  const signature = sign(null, signedBytes(label, body), privateKey).toString('base64url');
  return { seal: { ...label, signature }, body };
}

/**
 * Checks in another thread whether the worker has sealed exactly this result. Does not unpack the result.
 * @param publicKey in the form of `Worker.publicKey`
 */
export function isSealedBy(
  { seal: { signature, ...label }, body }: SealedResult,
  publicKey: string,
): Promise<boolean> {
  const signed = signedBytes(label, body);
  return promisify(verify)(null, signed, publicKeyOf(publicKey), Buffer.from(signature, 'base64url'));
}

/**
 * Opens the sealed result of a batch. @throws Error with the position of the fault when it is not a result of a batch
 */
export async function openResult({ seal, body }: SealedResult): Promise<MeasureResult> {
  const { workerId, deviceId, attempt } = seal;
  return { workerId, deviceId, attempt, ...(await unpacked(body, BodySchema)) };
}

/** The required part of a Zod schema. */
interface Form<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: PropertyKey[]; message: string }[] } };
}

/**
 * Returns the content of a body. @throws Error with the position of the fault when the content does not fit the
 * schema
 */
export async function unpacked<T>(body: Uint8Array, schema: Form<T>): Promise<T> {
  const bytes = await promisify(gunzip)(body, { maxOutputLength: MAX_BYTES });
  const parsed = schema.safeParse(JSON.parse(bytes.toString()));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(issue === undefined ? 'malformed' : `${issue.path.join('.')}: ${issue.message}`);
}

function signedBytes(label: Omit<Seal, 'signature'>, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${CONTEXT}\n${canonicalJson(label)}\n`), body]);
}
