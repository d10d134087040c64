import type { Sample } from '@alphaflops/contracts';
import { extrasOfSample, type SampleValues } from '@alphaflops/dataset';

/** Samples with a time, in the columns of the canonical CSV. */
export async function* measured(samples: AsyncIterable<Sample>): AsyncGenerator<SampleValues> {
  for await (const sample of samples) {
    const { spec, outcome, timing } = sample;
    if (outcome !== 'ok' || timing === null) continue;
    yield { spec, timeMs: timing.timeMs, extras: extrasOfSample(sample) };
  }
}
