import { createPublicKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** More workers than that are seldom at work. Reading a key takes as long as a tenth of a check. */
const keys = new LRUCache<string, KeyObject>({
  max: 10_000,
  memoMethod: (x) => createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }),
});

/**
 * @param publicKey as `Worker.publicKey`
 * @throws Error when it is no key
 */
export function publicKeyOf(publicKey: string): KeyObject {
  return keys.memo(publicKey);
}
