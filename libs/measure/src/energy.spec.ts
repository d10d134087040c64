import { MeasurementSchema, type Protocol } from '@alphaflops/contracts';
import { ENERGY_WINDOW_MS, type EnergyReading, withEnergy } from './energy.js';
import type { EnergySource, Environment } from './environment.js';
import { measure } from './measure.js';
import { protocolNamed } from './protocols.js';
import { SimulatedDevice, type TimingLaw } from './simulated-device.spec.helper.js';

const COUNTED: EnergyReading = {
  ok: true,
  energyMillijoules: 12,
  integratedMillijoules: 11.8,
  windowMs: 2043,
  iterations: 700,
};
const GPU = withEnergy(protocolNamed('gpu'));

async function measured(device: SimulatedDevice, protocol: Protocol, environment: Partial<Environment> = {}) {
  const { timing, outcome } = MeasurementSchema.parse(
    await measure(device, protocol, {
      clock: device,
      readConditions: () => device.readConditions(),
      ...environment,
    }),
  );
  return { outcome, energyMillijoules: timing?.energyMillijoules, energy: timing?.energy };
}

describe('energy by a meter of the executor', () => {
  /** The stored reading, and the requested windows. */
  async function energyOf(reading: EnergyReading, protocol: Protocol = GPU, law: TimingLaw = { runMs: 1 }) {
    const windowsMs: number[] = [];
    const device = new SimulatedDevice(law);
    const energy = (windowMs: number): Promise<EnergyReading> => {
      windowsMs.push(windowMs);
      return device.wait(windowMs).then(() => reading);
    };
    return { ...(await measured(Object.assign(device, { energy }), protocol)), windowsMs };
  }

  it('is measured over two seconds if the protocol requests it', async () => {
    expect(await energyOf(COUNTED)).toEqual({
      outcome: 'ok',
      energyMillijoules: 12,
      energy: {
        ...{ measured: true, windowMs: 2043, iterations: 700, integratedMillijoules: 11.8, doubt: null },
        ...{ meter: 'program', idlePowerW: null, aboveIdleMillijoules: null },
      },
      windowsMs: [ENERGY_WINDOW_MS],
    });
  });

  it('is not measured if the protocol does not request it', async () => {
    expect(await energyOf(COUNTED, protocolNamed('gpu'))).toEqual({
      outcome: 'ok',
      energyMillijoules: null,
      energy: undefined,
      windowsMs: [],
    });
  });

  it.each<[string, EnergyReading, RegExp]>([
    ['the device counts nothing', { ok: false, reason: 'no such counter' }, /^no such counter$/],
    [
      'the counter stood still',
      { ...COUNTED, energyMillijoules: 0 },
      /says 0 mJ for a convolution, over 2043 ms/,
    ],
  ])('is null, and never 0, if %s', async (_why, reading, reason) => {
    expect(await energyOf(reading)).toMatchObject({
      outcome: 'ok',
      energyMillijoules: null,
      energy: { measured: false, reason: expect.stringMatching(reason) as string },
    });
  });

  it.each([
    [10.9, null],
    [10.7, /differ by -11 % from the counter/],
    [13.3, /differ by 11 %/],
    [null, null],
  ])(
    'of 12 mJ by the counter and %s by the power readings is in doubt: %s',
    async (integratedMillijoules, doubt) => {
      const { energyMillijoules, energy } = await energyOf({ ...COUNTED, integratedMillijoules });
      expect(energyMillijoules).toBe(12);
      expect(energy).toMatchObject({
        integratedMillijoules,
        doubt: doubt === null ? null : (expect.stringMatching(doubt) as string),
      });
    },
  );

  it('is in doubt if the measurement throttled the device', async () => {
    // The batches have ended long before.
    const throttled = { fromMs: 1500, toMs: 1e9, clockShare: 0.5, reasons: ['hw-thermal-slowdown'] };
    const { outcome, energyMillijoules, energy } = await energyOf(COUNTED, undefined, {
      runMs: 1,
      throttled,
    });
    expect({ outcome, energyMillijoules }).toEqual({ outcome: 'ok', energyMillijoules: 12 });
    expect(energy).toMatchObject({ doubt: expect.stringMatching(/hw-thermal-slowdown/) as string });
  });

  it('is left out if the time limit of the spec is near, and with cold caches', async () => {
    expect(await energyOf(COUNTED, { ...GPU, specTimeLimitMs: 3000 })).toMatchObject({
      outcome: 'ok',
      energyMillijoules: null,
      energy: { measured: false, reason: expect.stringMatching(/too little time/) as string },
      windowsMs: [],
    });
    expect(await energyOf(COUNTED, { ...GPU, mode: 'cold' })).toMatchObject({
      energy: { measured: false, reason: expect.stringMatching(/hot caches/) as string },
      windowsMs: [],
    });
  });
});

describe('energy by the meter of the device', () => {
  const LAW = { runMs: 0.5 };
  const [BUSY_W, IDLE_W] = [200, 40];

  /** A meter of a device that uses 200 W while it computes and 40 W while it is idle. */
  function source(device: SimulatedDevice, changes: Partial<EnergySource> = {}): EnergySource {
    return {
      name: 'test-meter',
      read: () => {
        const waitedMs = device.waitsMs.reduce((sum, ms) => sum + ms, 0);
        const busyMs = device.nowMs() - 1000 - waitedMs;
        return { energyMillijoules: BUSY_W * busyMs + IDLE_W * waitedMs, powerW: null };
      },
      otherProcessorMs: () => null,
      ...changes,
    };
  }

  it('is counted for any executor, by running timed batches again and again', async () => {
    const device = new SimulatedDevice(LAW);
    const result = await measured(device, GPU, { energy: source(device), idlePowerW: IDLE_W });
    expect(result.energyMillijoules).toBeCloseTo(BUSY_W * LAW.runMs, 6);
    expect(result.energy).toMatchObject({
      ...{ measured: true, meter: 'test-meter', idlePowerW: IDLE_W, doubt: null },
      aboveIdleMillijoules: expect.closeTo((BUSY_W - IDLE_W) * LAW.runMs, 6) as number,
    });
  });

  it('is counted above the idle power before and after if the meter counts the whole machine', async () => {
    const device = new SimulatedDevice(LAW);
    const energy = source(device, { otherProcessorMs: () => 0.02 * device.nowMs() });
    const result = await measured(device, GPU, { energy });
    expect(result.energyMillijoules).toBeCloseTo(BUSY_W * LAW.runMs, 6);
    expect(result.energy).toMatchObject({ idlePowerW: expect.closeTo(IDLE_W, 6) as number, doubt: null });
  });

  it('is unknown if other programs kept the machine busy', async () => {
    const device = new SimulatedDevice(LAW);
    const energy = source(device, { otherProcessorMs: () => 0.5 * device.nowMs() });
    expect(await measured(device, GPU, { energy })).toMatchObject({
      energyMillijoules: null,
      energy: {
        measured: false,
        reason: expect.stringMatching(/other programs used 0\.50 of a processor/) as string,
      },
    });
  });

  it('is in doubt if the idle power changed meanwhile', async () => {
    const device = new SimulatedDevice(LAW);
    const constant = source(device);
    const energy = {
      ...constant,
      otherProcessorMs: () => 0,
      // 60 W more, starting at a moment inside the window.
      read: () => ({
        energyMillijoules: (constant.read().energyMillijoules ?? 0) + 60 * Math.max(0, device.nowMs() - 3000),
        powerW: null,
      }),
    };
    const result = await measured(device, GPU, { energy });
    expect(result.energy).toMatchObject({
      doubt: expect.stringMatching(/40\.0 W before and 100\.0 W after/) as string,
    });
  });

  it.each<[string, Partial<EnergySource> | string | undefined, RegExp]>([
    ['there is no meter', undefined, /nothing counts the energy/],
    ['the meter may not be read', 'only root may read it', /^only root may read it$/],
    [
      'the meter fails',
      {
        read: () => {
          throw new Error('the card fell off the bus');
        },
      },
      /meter failed: the card fell off/,
    ],
    ['the counter stands still', { read: () => ({ energyMillijoules: 5, powerW: null }) }, /did not advance/],
  ])('is null with the reason if %s', async (_which, changes, reason) => {
    const device = new SimulatedDevice(LAW);
    const energy = typeof changes === 'object' ? source(device, changes) : changes;
    expect(await measured(device, GPU, { energy })).toMatchObject({
      outcome: 'ok',
      energyMillijoules: null,
      energy: { measured: false, reason: expect.stringMatching(reason) as string },
    });
  });
});
