import type { SampleRow } from '@alphaflops/dataset';
import type { FitSample } from '@alphaflops/models';

/** What a row of a file tells a fit. */
export function fitSample({ spec, timeMs, extras }: SampleRow): FitSample {
  return { spec, timeMs, energyMj: extras.energy_mj ?? null, kernel: extras.kernel ?? null };
}
