import type { LearningPoint } from '@alphaflops/contracts';
import { percent } from '@alphaflops/contracts/text';
import { seconds, significant } from './tables.js';

/** For example `360 shapes: 12.1 % ± 0.7 %, 41 s of device time`. */
export function learningText({
  shapes,
  medianApe,
  standardError,
  deviceSeconds,
  energyJ,
}: Pick<LearningPoint, 'shapes' | 'medianApe' | 'standardError' | 'deviceSeconds' | 'energyJ'>): string {
  const energy = energyJ === null ? '' : `, ${significant(energyJ / 1000, 2)} kJ`;
  return `${shapes} shapes: ${percent(medianApe)} ± ${percent(standardError)}, ${seconds(deviceSeconds)} of device time${energy}`;
}
