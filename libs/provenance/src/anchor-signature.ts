import { type KeyObject, sign, verify } from 'node:crypto';
import type { AnchorRun, MeasureResult } from '@alphaflops/contracts';
import { canonicalJson } from './canonical-json.js';
import { publicKeyOf } from './public-key.js';

/** As for samples: a signature of something else can never be one of a run of anchors. */
const CONTEXT = 'alphaflops.anchors/1';

/** What a worker says with its signature: these anchors changed so on that device, which had measured these batches. */
export type SignedAnchors = Omit<AnchorRun, 'signature'> & Pick<MeasureResult, 'workerId' | 'deviceId'>;

/** @returns Ed25519 signature, base64url */
export function signAnchors(anchors: SignedAnchors, privateKey: KeyObject): string {
  return sign(null, signedText(anchors), privateKey).toString('base64url');
}

/** @param publicKey as `Worker.publicKey` */
export function areAnchorsSignedBy(anchors: SignedAnchors, signature: string, publicKey: string): boolean {
  return verify(null, signedText(anchors), publicKeyOf(publicKey), Buffer.from(signature, 'base64url'));
}

function signedText({ workerId, deviceId, startedAt, ratios, batches }: SignedAnchors): Buffer {
  return Buffer.from(`${CONTEXT}\n${canonicalJson({ workerId, deviceId, startedAt, ratios, batches })}`);
}
