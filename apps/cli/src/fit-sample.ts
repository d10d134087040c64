import type { SampleRow } from '@alphaflops/dataset';
import type { FitSample } from '@alphaflops/models';

/** The values of a row of a file for a fit. */
export function fitSample({ spec, timeMs, extras }: SampleRow): FitSample {
  const { energy_mj: energyMillijoules = null, energy_meter: energyMeter, kernel = null } = extras;
  return { spec, timeMs, energyMillijoules, ...(energyMeter !== undefined && { energyMeter }), kernel };
}
