import type { DeviceClass, Sample } from '@alphaflops/contracts';
import { fitInputDigest, fitRowOf, rowOfSample } from '@alphaflops/dataset';
import type { FitSample } from '@alphaflops/models';
import { SampleStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

export interface FitInput {
  samples: FitSample[];
  digest: string;
  excluded: Record<string, number>;
}

/** The input of a fit for a device class: its good samples that were timed with the same protocol. */
@Injectable()
export class FitInputs {
  constructor(private readonly samples: SampleStore) {}

  /** @param protocol only samples with this protocol are used; null: the protocol of the newest sample */
  async of(deviceClass: DeviceClass, protocol: Sample['protocol'] | null): Promise<FitInput> {
    const good: Sample[] = [];
    const excluded: Record<string, number> = {};
    const leaveOut = (reason: string) => (excluded[reason] = (excluded[reason] ?? 0) + 1);
    for await (const sample of this.samples.stream({ deviceClassId: deviceClass.id })) {
      if (sample.outcome === 'ok') good.push(sample);
      else leaveOut(sample.outcome);
    }
    const selected = protocol ?? good.at(-1)?.protocol;
    const samples: FitSample[] = [];
    for (const sample of good) {
      const { timing, protocol: used } = sample;
      if (used.name !== selected?.name || used.version !== selected.version) leaveOut('other protocol');
      else if (timing !== null) samples.push(fitRowOf(rowOfSample(sample)));
    }
    return { samples, digest: fitInputDigest(samples), excluded };
  }
}
