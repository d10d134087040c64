import { createHash } from 'node:crypto';
import type { Provenance } from '@alphaflops/contracts';
import { canonicalJson } from './canonical-json.js';

/** Returns the id of a provenance record. Equal records have the same id. */
export function provenanceId(provenance: Provenance): string {
  return digestOf(provenance);
}

/** Returns the sha-256 digest of the canonical JSON of a value, in hex. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
