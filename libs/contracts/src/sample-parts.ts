import type { ConvSpec } from '@alphaflops/conv';
import type { Kernel } from './kernel.js';
import type { BatchClocks, Conditions, EnergyCheck, SampleTiming } from './measurement.js';
import type { Sample } from './sample.js';

/** Both ways an energy check can end, in one. */
type EnergyFields = Omit<EnergyCheck & { measured: true }, 'measured'> &
  Omit<EnergyCheck & { measured: false }, 'measured'>;

/** The records that a good sample consists of, those that a column takes its value from. Absent ones are undefined. */
export interface SampleParts {
  sample: Sample;
  spec: ConvSpec;
  timing: SampleTiming;
  energy?: Partial<EnergyFields> | undefined;
  kernel?: Kernel | undefined;
  clocks?: BatchClocks | undefined;
  protocol: Sample['protocol'];
  before?: Conditions | undefined;
  after?: Conditions | undefined;
}

/** @throws Error when the sample has no timing */
export function partsOf(sample: Sample): SampleParts {
  const { spec, timing, conditions, kernel, protocol } = sample;
  if (timing === null) throw new Error(`sample ${sample.id} has no timing`);
  return {
    ...{ sample, spec, timing, kernel, protocol },
    energy: timing.energy,
    clocks: timing.batchClocks,
    before: conditions?.before,
    after: conditions?.after,
  };
}
