import { createPublicKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/**
 * Maximum number of parsed keys in memory. More workers are rarely active at the same time. Parsing a key takes a
 * tenth of the time of a check.
 */
const keys = new LRUCache<string, KeyObject>({
  max: 10_000,
  memoMethod: (x) => createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }),
});

/** @param publicKey in the form of `Worker.publicKey` @throws Error when it is not a valid key */
export function publicKeyOf(publicKey: string): KeyObject {
  return keys.memo(publicKey);
}
