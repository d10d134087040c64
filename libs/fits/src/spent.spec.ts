import type { Sample } from '@alphaflops/contracts';
import { spentOn } from './spent.js';

const sample = (batchIndex: number, startedMs: number, powerW: number | null = null): Sample =>
  ({
    ...{ deviceId: 'd1', targetId: 't', batchIndex, attempt: 1 },
    startedAt: new Date(startedMs).toISOString(),
    conditions: { before: { powerW: null }, after: { powerW } },
  }) as unknown as Sample;

async function* stream(samples: Sample[]): AsyncIterable<Sample> {
  for (const each of samples) yield await Promise.resolve(each);
}

describe('the cost of measuring', () => {
  it('is the time of each batch, including its last sample, at its mean power', async () => {
    const first = [sample(0, 0, 100), sample(0, 1_000, 200), sample(0, 2_000, 300)];
    const second = [sample(1, 60_000, 50), sample(1, 64_000, 50)];
    expect(await spentOn(stream([...first, ...second]))).toEqual({
      deviceSeconds: 3 + 8,
      energyJ: 3 * 200 + 8 * 50,
    });
  });

  it('has no energy if a device reports no power', async () => {
    const spent = await spentOn(stream([sample(0, 0, 100), sample(0, 1_000)]));
    expect(spent).toEqual({ deviceSeconds: 2, energyJ: null });
    expect(await spentOn(stream([]))).toEqual({ deviceSeconds: 0, energyJ: null });
  });

  it('leaves out samples that no device measured', async () => {
    const failed = { ...sample(0, 0), deviceId: null };
    expect(await spentOn(stream([failed, { ...failed, startedAt: new Date(9_000).toISOString() }]))).toEqual({
      deviceSeconds: 0,
      energyJ: null,
    });
  });
});
