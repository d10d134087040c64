import { MeasurementSchema, type Protocol } from '@alphaflops/contracts';
import { ENERGY_WINDOW_MS, type EnergyReading, withEnergy } from './energy.js';
import { measure } from './measure.js';
import { protocolNamed } from './protocols.js';
import { SimulatedDevice, type TimingLaw } from './simulated-device.spec.helper.js';

const COUNTED: EnergyReading = {
  ok: true,
  energyMj: 12,
  integratedMj: 11.8,
  windowMs: 2043,
  iterations: 700,
};

/** What is kept of a reading, and the windows that were asked for. */
async function energyOf(
  reading: EnergyReading | null,
  protocol: Protocol = withEnergy(protocolNamed('gpu')),
  law: TimingLaw = { runMs: 1 },
) {
  const windowsMs: number[] = [];
  const energy = (windowMs: number): Promise<EnergyReading> => {
    windowsMs.push(windowMs);
    return device.wait(windowMs).then(() => reading as EnergyReading);
  };
  const device = new SimulatedDevice(law);
  const conv = reading === null ? device : Object.assign(device, { energy });
  const measurement = MeasurementSchema.parse(await measure(conv, protocol, device));
  const { timing } = measurement;
  return { outcome: measurement.outcome, energyMj: timing?.energyMj, energy: timing?.energy, windowsMs };
}

describe('energy', () => {
  it('is measured over two seconds when the protocol asks for it', async () => {
    expect(await energyOf(COUNTED)).toEqual({
      outcome: 'ok',
      energyMj: 12,
      energy: { measured: true, windowMs: 2043, iterations: 700, integratedMj: 11.8, doubt: null },
      windowsMs: [ENERGY_WINDOW_MS],
    });
  });

  it('is not measured when the protocol does not ask for it', async () => {
    expect(await energyOf(COUNTED, protocolNamed('gpu'))).toEqual({
      outcome: 'ok',
      energyMj: null,
      energy: undefined,
      windowsMs: [],
    });
  });

  it.each<[string, EnergyReading | null, RegExp]>([
    ['the executor counts none', null, /no counter/],
    ['the device counts none', { ok: false, reason: 'no such counter' }, /^no such counter$/],
    ['the counter stood still', { ...COUNTED, energyMj: 0 }, /says 0 mJ for 2043 ms/],
  ])('is null, and never 0, where %s', async (_why, reading, reason) => {
    expect(await energyOf(reading)).toMatchObject({
      outcome: 'ok',
      energyMj: null,
      energy: { measured: false, reason: expect.stringMatching(reason) as string },
    });
  });

  it.each([
    [10.9, null],
    [10.7, /differ by -11 % from the counter/],
    [13.3, /differ by 11 %/],
    [null, null],
  ])('of 12 mJ by the counter and %s by the power readings is in doubt: %s', async (integratedMj, doubt) => {
    const { energyMj, energy } = await energyOf({ ...COUNTED, integratedMj });
    expect(energyMj).toBe(12);
    expect(energy).toMatchObject({
      integratedMj,
      doubt: doubt === null ? null : (expect.stringMatching(doubt) as string),
    });
  });

  it('is in doubt when the device was throttled by it', async () => {
    // The batches are done long before.
    const throttled = { fromMs: 1500, toMs: 1e9, clockShare: 0.5 };
    const { outcome, energyMj, energy } = await energyOf(COUNTED, undefined, { runMs: 1, throttled });
    expect({ outcome, energyMj }).toEqual({ outcome: 'ok', energyMj: 12 });
    expect(energy).toMatchObject({ doubt: expect.stringMatching(/clock is at 500 MHz/) as string });
  });

  it('is left out when the limit of the spec is near', async () => {
    const protocol = { ...withEnergy(protocolNamed('gpu')), specTimeLimitMs: 3000 };
    expect(await energyOf(COUNTED, protocol)).toMatchObject({
      outcome: 'ok',
      energyMj: null,
      energy: { measured: false, reason: expect.stringMatching(/too little time/) as string },
      windowsMs: [],
    });
  });
});
