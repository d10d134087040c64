import { createHash } from 'node:crypto';
import { specKey } from '@alphaflops/conv';
import type { SampleValues } from './write.js';

/**
 * Names the exact data of a fit: SHA-256, in hex, over one line `specKey time_ms` per row, times in the shortest
 * decimal that reads back as the same number. The lines are sorted, so the order of the rows does not matter; how
 * often a row stands there does.
 */
export function fitInputDigest(rows: Iterable<SampleValues>): string {
  const hash = createHash('sha256');
  const lines = Array.from(rows, ({ spec, timeMs }) => `${specKey(spec)} ${timeMs}\n`).sort();
  for (const line of lines) hash.update(line);
  return hash.digest('hex');
}
