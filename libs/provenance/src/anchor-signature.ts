import { type KeyObject, sign, verify } from 'node:crypto';
import type { AnchorRun, MeasureResult } from '@alphaflops/contracts';
import { canonicalJson } from './canonical-json.js';
import { publicKeyOf } from './public-key.js';

/** The prefix of every signed text, as for samples: a signature of other data is never valid for a run of anchors. */
const CONTEXT = 'alphaflops.anchors/1';

/** The statement that a worker signs: the ratios of these anchors on this device, which had measured these batches. */
export type SignedAnchors = Omit<AnchorRun, 'signature'> & Pick<MeasureResult, 'workerId' | 'deviceId'>;

/** @returns Ed25519 signature, base64url */
export function signAnchors(anchors: SignedAnchors, privateKey: KeyObject): string {
  return sign(null, signedText(anchors), privateKey).toString('base64url');
}

/** @param publicKey in the form of `Worker.publicKey` */
export function areAnchorsSignedBy(anchors: SignedAnchors, signature: string, publicKey: string): boolean {
  return verify(null, signedText(anchors), publicKeyOf(publicKey), Buffer.from(signature, 'base64url'));
}

function signedText({ workerId, deviceId, startedAt, ratios, batches }: SignedAnchors): Buffer {
  return Buffer.from(`${CONTEXT}\n${canonicalJson({ workerId, deviceId, startedAt, ratios, batches })}`);
}
