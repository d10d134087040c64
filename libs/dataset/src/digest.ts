import { createHash } from 'node:crypto';
import { specKey } from '@alphaflops/conv';
import type { SampleValues } from './write.js';

/**
 * Names the exact data of a fit: SHA-256, in hex, over one line `specKey time_ms` per row, or `specKey time_ms energy_mj`
 * where energy was measured, numbers in the shortest decimal that reads back as the same. The lines are sorted, so the
 * order of the rows does not matter; how often a row stands there does.
 */
export function fitInputDigest(rows: Iterable<SampleValues & { energyMillijoules?: number | null }>): string {
  const hash = createHash('sha256');
  const lines = Array.from(rows, ({ spec, timeMs, energyMillijoules }) => {
    const energy =
      energyMillijoules === null || energyMillijoules === undefined ? '' : ` ${energyMillijoules}`;
    return `${specKey(spec)} ${timeMs}${energy}\n`;
  }).sort();
  for (const line of lines) hash.update(line);
  return hash.digest('hex');
}
