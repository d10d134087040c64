import { createHash } from 'node:crypto';
import type { Provenance } from '@alphaflops/contracts';
import { canonicalJson } from './canonical-json.js';

/** The id under which a provenance record is stored: equal records are one. */
export function provenanceId(provenance: Provenance): string {
  return digestOf(provenance);
}

/** sha-256, in hex, of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
