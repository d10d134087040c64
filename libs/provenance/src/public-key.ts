import { createPublicKey, type KeyObject } from 'node:crypto';

const known = new Map<string, KeyObject>();
/** More workers than that are seldom at work; then all are forgotten and read again. */
const MAX_KNOWN = 10_000;

/** @param publicKey as `Worker.publicKey`. Reading one takes as long as a tenth of a check. */
export function publicKeyOf(publicKey: string): KeyObject {
  let key = known.get(publicKey);
  if (key === undefined) {
    key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: publicKey } });
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(publicKey, key);
  }
  return key;
}
