import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenKind } from '@alphaflops/store';

/** A new secret of 256 bits. The prefix shows its purpose to people and to secret scanners. */
export function newSecret(purpose: TokenKind): string {
  return `af_${purpose}_${randomBytes(32).toString('base64url')}`;
}

/**
 * The stored form of a secret, and the key of its look-up. A plain digest is enough for 256 random bits, and a look-up by
 * digest leaks no timing about the secret.
 */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Compares two digests in a time that does not depend on where they differ. */
export function isSameDigest(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}
