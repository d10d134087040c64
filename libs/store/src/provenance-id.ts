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

/** JSON with sorted keys: equal values have equal text. By hand, as a replacer of JSON.stringify takes twice as long. */
export function canonicalJson(value: unknown): string {
  return jsonOf(value) ?? 'null';
}

/** Undefined for what JSON has no text for. */
function jsonOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const part of value) text += `${text === '' ? '' : ','}${jsonOf(part) ?? 'null'}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const part = jsonOf((value as Record<string, unknown>)[key]);
    if (part !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${part}`;
  }
  return `{${text}}`;
}
