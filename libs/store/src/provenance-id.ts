import { createHash } from 'node:crypto';
import type { Provenance } from '@alphaflops/contracts';

/** The id under which a provenance record is stored: equal records are one. */
export function provenanceId(provenance: Provenance): string {
  return digestOf(provenance);
}

/** sha-256, in hex, of a value's JSON with sorted keys. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** JSON with sorted keys: equal values have equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
