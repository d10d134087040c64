import { type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import {
  type MeasureJob,
  type MeasureResult,
  MeasureResultSchema,
  type SealedResult,
} from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import { canonicalJson, digestOf } from './provenance-id.js';
import { publicKeyOf } from './public-key.js';

/** As for samples: a signature of something else can never be one of a batch. */
const CONTEXT = 'alphaflops.batch/1';
/** A few kB may expand to any size: more than a batch can hold is not unpacked. */
const MOST_BYTES = 256 * 1024 * 1024;

const BodySchema = MeasureResultSchema.omit({ workerId: true, deviceId: true, attempt: true });

/** Names what is to be measured: a batch that was changed on its way has another digest. */
export function batchDigest({ campaignId, targetId, batchIndex, protocol, slots }: MeasureJob): string {
  const asked = slots.map(({ specIndex, replicate, spec }) => `${specIndex} ${replicate} ${specKey(spec)}`);
  return digestOf({ campaignId, targetId, batchIndex, protocol, slots: asked });
}

/** Packs what came of a batch, and signs it with its place. */
export async function sealResult(
  job: MeasureJob,
  { workerId, deviceId, attempt, ...body }: MeasureResult,
  privateKey: KeyObject,
): Promise<SealedResult> {
  const bytes = await promisify(gzip)(JSON.stringify(body), { level: constants.Z_BEST_SPEED });
  const label = { workerId, deviceId, attempt, batchDigest: batchDigest(job) };
  const signature = sign(null, signedBytes(label, bytes), privateKey).toString('base64url');
  return { ...label, body: bytes.toString('base64'), signature };
}

/**
 * Whether the worker has sealed just this; nothing of it has to be unpacked for that. Checked by another thread.
 * @param publicKey as `Worker.publicKey`
 */
export function isSealedBy({ body, signature, ...label }: SealedResult, publicKey: string): Promise<boolean> {
  if (signature === null) return Promise.resolve(false);
  const signed = signedBytes(label, Buffer.from(body, 'base64'));
  return promisify(verify)(null, signed, publicKeyOf(publicKey), Buffer.from(signature, 'base64url'));
}

/** What was sealed. @throws Error when it is no result of a batch, saying where it is not */
export async function openResult({
  workerId,
  deviceId,
  attempt,
  body,
}: SealedResult): Promise<MeasureResult> {
  const bytes = await promisify(gunzip)(Buffer.from(body, 'base64'), { maxOutputLength: MOST_BYTES });
  const parsed = BodySchema.safeParse(JSON.parse(bytes.toString()));
  if (parsed.success) return { workerId, deviceId, attempt, ...parsed.data };
  const [issue] = parsed.error.issues;
  throw new Error(issue === undefined ? 'malformed' : `${issue.path.join('.')}: ${issue.message}`);
}

function signedBytes(label: Omit<SealedResult, 'body' | 'signature'>, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${CONTEXT}\n${canonicalJson(label)}\n`), body]);
}
