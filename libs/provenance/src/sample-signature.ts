import { type KeyObject, sign, verify } from 'node:crypto';
import { type Measurement, type Sample, withFormerEnergyNames } from '@alphaflops/contracts';
import { canonicalJson } from './canonical-json.js';
import { publicKeyOf } from './public-key.js';

/** Begins every signed text, so that a signature of something else can never be one of a sample. */
const CONTEXT = 'alphaflops.sample/1';

/**
 * What a worker says with its signature: this is what came of that spec, in that attempt at that batch, on that device.
 * The spec is named by its key. What only the coordinator knows is not in it: id, class of the device, time of recording.
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

/** Signed where a sample has them: the signatures of samples from before they existed stay valid. */
export const SIGNED_IF_PRESENT = ['kernel', 'powerLimited'] as const satisfies readonly (keyof Sample)[];

export type SignedFields = Pick<Sample, (typeof SIGNED_FIELDS)[number] | (typeof SIGNED_IF_PRESENT)[number]>;

/** A measurement as the fields of its sample. */
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
 * Checked by another thread, as it takes a tenth of a millisecond.
 * @param publicKey as `Worker.publicKey`
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

/** The context, then the fields as canonical JSON, in UTF-8. */
function signedText(fields: SignedFields): Buffer {
  const present = SIGNED_IF_PRESENT.filter((name) => fields[name] !== undefined);
  const signed = Object.fromEntries([...SIGNED_FIELDS, ...present].map((name) => [name, fields[name]]));
  signed['timing'] = withFormerEnergyNames(fields.timing);
  return Buffer.from(`${CONTEXT}\n${canonicalJson(signed)}`);
}
