import { type KeyObject, sign, verify } from 'node:crypto';
import { type Measurement, type Sample, withFormerEnergyNames } from '@alphaflops/contracts';
import { canonicalJson } from './canonical-json.js';
import { publicKeyOf } from './public-key.js';

/** The prefix of every signed text: a signature of other data is never valid for a sample. */
const CONTEXT = 'alphaflops.sample/1';

/**
 * The statement that a worker signs: the result of a spec, in an attempt at a batch, on a device. The spec is
 * represented by its key. The statement does not contain fields that only the coordinator knows: the id, the class of
 * the device and the time of recording.
 */
export const SIGNED_FIELDS = [
  'campaignId',
  'targetId',
  'batchIndex',
  'attempt',
  'specIndex',
  'replicate',
  'specKey',
  'protocol',
  'workerId',
  'deviceId',
  'provenanceId',
  'startedAt',
  'outcome',
  'reason',
  'timing',
  'conditions',
  'algorithm',
  'workspaceBytes',
] as const satisfies readonly (keyof Sample)[];

/**
 * Fields that are signed only if a sample has them. The signatures of older samples without these fields stay valid.
 */
export const SIGNED_IF_PRESENT = ['kernel', 'powerLimited'] as const satisfies readonly (keyof Sample)[];

export type SignedFields = Pick<Sample, (typeof SIGNED_FIELDS)[number] | (typeof SIGNED_IF_PRESENT)[number]>;

/** A measurement in the form of the fields of its sample. */
export function fieldsOfMeasurement(measurement: Measurement) {
  return measurement.outcome === 'ok'
    ? { ...measurement, reason: null }
    : { ...measurement, algorithm: null, workspaceBytes: null };
}

/** @returns Ed25519 signature, base64url */
export function signSample(fields: SignedFields, privateKey: KeyObject): string {
  return sign(null, signedText(fields), privateKey).toString('base64url');
}

/**
 * Checks a signature in another thread, because a check takes a tenth of a millisecond.
 * @param publicKey in the form of `Worker.publicKey`
 */
export function isSignedBy(
  sample: SignedFields & Pick<Sample, 'signature'>,
  publicKey: string,
): Promise<boolean> {
  const { signature } = sample;
  if (signature === null) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const key = publicKeyOf(publicKey);
    verify(null, signedText(sample), key, Buffer.from(signature, 'base64url'), (error, isValid) => {
      if (error === null) resolve(isValid);
      else reject(error);
    });
  });
}

/** Returns the signed bytes: the prefix, then the fields as canonical JSON, in UTF-8. */
function signedText(fields: SignedFields): Buffer {
  const present = SIGNED_IF_PRESENT.filter((name) => fields[name] !== undefined);
  const signed = Object.fromEntries([...SIGNED_FIELDS, ...present].map((name) => [name, fields[name]]));
  signed['timing'] = withFormerEnergyNames(fields.timing);
  return Buffer.from(`${CONTEXT}\n${canonicalJson(signed)}`);
}
