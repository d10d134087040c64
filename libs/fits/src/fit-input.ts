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

/** What is fitted for a device class: every good sample of it that was timed by the same protocol. */
@Injectable()
export class FitInputs {
  constructor(private readonly samples: SampleStore) {}

  /** @param protocol of the samples that count; null: the one of the newest sample */
  async of(deviceClass: DeviceClass, protocol: Sample['protocol'] | null): Promise<FitInput> {
    const good: Sample[] = [];
    const excluded: Record<string, number> = {};
    const leaveOut = (reason: string) => (excluded[reason] = (excluded[reason] ?? 0) + 1);
    for await (const sample of this.samples.stream({ deviceClassId: deviceClass.id })) {
      if (sample.outcome === 'ok') good.push(sample);
      else leaveOut(sample.outcome);
    }
    const wanted = protocol ?? good.at(-1)?.protocol;
    const samples: FitSample[] = [];
    for (const sample of good) {
      const { timing, protocol: used } = sample;
      if (used.name !== wanted?.name || used.version !== wanted.version) leaveOut('other protocol');
      else if (timing !== null) samples.push(fitRowOf(rowOfSample(sample)));
    }
    return { samples, digest: fitInputDigest(samples), excluded };
  }
}
