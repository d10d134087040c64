import type { DeviceClass, Sample } from '@alphaflops/contracts';
import { buildDeviceClass, buildSample } from '@alphaflops/store/conformance';
import type { SampleStore } from '@alphaflops/store';
import { FitInputs } from './fit-input.js';

const deviceClass: DeviceClass = buildDeviceClass();

/** Returns these samples for every query. */
function storeOf(samples: readonly Sample[]): SampleStore {
  const stream = async function* () {
    await Promise.resolve();
    yield* samples;
  };
  return { stream } as Partial<SampleStore> as SampleStore;
}

describe('the input of a fit', () => {
  it('has the energy of the samples that have one, and its digest depends on the energy', async () => {
    const [first, second] = [1, 2].map((specIndex) => buildSample({ specIndex }));
    if (!first?.timing || !second?.timing) throw new Error('built samples are good');
    const withEnergy = { ...first, timing: { ...first.timing, energyMillijoules: 12.5 } };
    const without = { ...second, timing: { ...second.timing, energyMillijoules: null } };
    const { samples, digest } = await new FitInputs(storeOf([withEnergy, without])).of(deviceClass, null);
    expect(samples.map(({ energyMillijoules }) => energyMillijoules)).toEqual([12.5, null]);
    const bare = await new FitInputs(
      storeOf([{ ...withEnergy, timing: { ...first.timing, energyMillijoules: null } }, without]),
    ).of(deviceClass, null);
    expect(bare.digest).not.toBe(digest);
  });

  it('leaves out failures and other protocols, and counts them', async () => {
    const other = buildSample({ specIndex: 1, protocol: { name: 'elsewhere', version: 1 } });
    const failed = buildSample({ specIndex: 2, outcome: 'timeout', reason: 'too slow' });
    const good = buildSample({ specIndex: 3 });
    const { samples, excluded } = await new FitInputs(storeOf([other, failed, good])).of(deviceClass, null);
    expect(samples.map(({ spec }) => spec)).toEqual([good.spec]);
    expect(excluded).toEqual({ timeout: 1, 'other protocol': 1 });
  });
});
