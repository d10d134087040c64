import { MeasurementSchema, type Measurement, type Protocol } from '@alphaflops/contracts';
import { measure } from './measure.js';
import { PROTOCOLS, protocolNamed } from './protocols.js';
import { SimulatedDevice, type TimingLaw } from './simulated-device.spec.helper.js';

async function measureLaw(law: TimingLaw, changes: Partial<Protocol> = {}, name = 'gpu') {
  const device = new SimulatedDevice(law);
  const measurement = await measure(device, { ...protocolNamed(name), ...changes }, device);
  MeasurementSchema.parse(measurement);
  return { device, measurement };
}

function timingOf(measurement: Measurement) {
  if (measurement.timing === null) throw new Error(`no timing: ${JSON.stringify(measurement)}`);
  return measurement.timing;
}

describe('estimates', () => {
  it.each([0.002, 0.05, 1.7, 40])('gives exactly %d ms for a quiet device', async (runMs) => {
    const { measurement } = await measureLaw({ runMs });
    const timing = timingOf(measurement);
    expect(measurement.outcome).toBe('ok');
    expect(timing.timeMs).toBeCloseTo(runMs, 9);
    expect(timing.cv).toBeCloseTo(0, 9);
    expect(timing.stoppedBy).toBe('relative-standard-error');
    expect(timing.repetitions).toBe(9);
  });

  it('spreads the cost of a batch over enough runs to keep it under a tenth of the batch', async () => {
    const { measurement } = await measureLaw({ runMs: 0.01, batchMs: 0.1 });
    const timing = timingOf(measurement);
    expect(timing.timeMs).toBeGreaterThan(0.01);
    expect(timing.timeMs).toBeLessThan(0.011);
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'is within 1 %% under 2 %% of noise (seed %d)',
    async (seed) => {
      const { measurement } = await measureLaw({ runMs: 0.3, noise: 0.02, seed });
      const timing = timingOf(measurement);
      expect(measurement.outcome).toBe('ok');
      expect(Math.abs(timing.timeMs / 0.3 - 1)).toBeLessThan(0.01);
      expect(timing.stoppedBy).toBe('relative-standard-error');
      expect(timing.cv).toBeGreaterThan(0.005);
      expect(timing.timeMinMs).toBeLessThan(timing.timeQ25Ms);
      expect(timing.timeQ25Ms).toBeLessThan(timing.timeMs);
      expect(timing.timeMs).toBeLessThan(timing.timeQ75Ms);
    },
  );

  it('has a median that single spikes do not move', async () => {
    const { measurement } = await measureLaw({ runMs: 1, spikeEvery: 7 });
    const timing = timingOf(measurement);
    expect(timing.timeMs).toBeCloseTo(1, 9);
    expect(timing.timeMeanMs).toBeGreaterThan(1.2);
  });

  it('follows a slow drift to its middle', async () => {
    const { measurement } = await measureLaw({ runMs: 50, driftPerSecond: 0.01 }, { minBatches: 20 });
    expect(Math.abs(timingOf(measurement).timeMs / 50.3 - 1)).toBeLessThan(0.005);
  });
});

describe('batches', () => {
  it.each([0.001, 0.4, 3])('last at least minBatchMs for a run of %d ms', async (runMs) => {
    const { measurement } = await measureLaw({ runMs });
    const { innerIterations, batchTimesMs } = timingOf(measurement);
    for (const timeMs of batchTimesMs) expect(timeMs * innerIterations).toBeGreaterThanOrEqual(1.5);
    expect(innerIterations).toBe(runMs === 3 ? 1 : Math.ceil(1.8 / runMs));
  });

  it('stop on total time when the noise never averages out', async () => {
    const { measurement } = await measureLaw({ runMs: 2, noise: 0.3 });
    const timing = timingOf(measurement);
    expect(measurement.outcome).toBe('ok');
    expect(timing.stoppedBy).toBe('total-time');
    const total = timing.batchTimesMs.reduce((sum, timeMs) => sum + timeMs * timing.innerIterations, 0);
    expect(total).toBeGreaterThanOrEqual(2000);
    expect(total).toBeLessThan(2010);
  });

  it('are at least three, also for a very slow convolution', async () => {
    const { measurement } = await measureLaw({ runMs: 3000 });
    expect(timingOf(measurement)).toMatchObject({ repetitions: 3, stoppedBy: 'total-time', warmUpRuns: 1 });
  });

  it('end when a sample cannot hold more of them', async () => {
    const { measurement } = await measureLaw(
      { runMs: 2, noise: 0.2 },
      { maxTotalMs: 600_000, maxRelativeStandardError: 1e-4 },
    );
    expect(timingOf(measurement)).toMatchObject({ repetitions: 10_000, stoppedBy: 'total-time' });
  });
});

describe('warm-up', () => {
  it('runs at least the minimum and hides the compilation of a kernel', async () => {
    const { measurement } = await measureLaw({ runMs: 4, compileMs: 700 });
    const timing = timingOf(measurement);
    expect(timing.warmUpRuns).toBe(3);
    expect(Math.max(...timing.batchTimesMs)).toBeCloseTo(4, 9);
  });

  it('goes on until two successive batches agree', async () => {
    const settled = await measureLaw({ runMs: 4 }, { warmUpMinRuns: 1 });
    expect(timingOf(settled.measurement).warmUpRuns).toBe(2);
    const slowing = await measureLaw({ runMs: 4, driftPerSecond: 20 }, { warmUpMinRuns: 1 });
    expect(timingOf(slowing.measurement).warmUpRuns).toBeGreaterThan(5);
  });

  it('gives up on agreement after its time', async () => {
    const { measurement } = await measureLaw({ runMs: 10, noise: 0.3 }, { warmUpTolerance: 1e-6 });
    const { warmUpRuns } = timingOf(measurement);
    expect(warmUpRuns).toBeGreaterThan(60);
    expect(warmUpRuns).toBeLessThan(140);
  });
});

describe('throttling', () => {
  const phase = (durationMs: number, clockShare = 0.5, reasons: string[] = []) => ({
    fromMs: 0,
    toMs: 1000 + durationMs,
    clockShare,
    reasons,
  });

  it('discards the attempt, waits, and times the recovered device', async () => {
    const { device, measurement } = await measureLaw({ runMs: 1, throttled: phase(3000) });
    expect(measurement.outcome).toBe('ok');
    expect(timingOf(measurement).timeMs).toBeCloseTo(1, 9);
    expect(device.waitsMs).toEqual([2000, 4000]);
  });

  it('ends as throttled after the last retry, with the last timing', async () => {
    const { device, measurement } = await measureLaw({ runMs: 1, throttled: phase(1e6) });
    expect(measurement).toMatchObject({
      outcome: 'throttled',
      reason: 'the clock is at 500 MHz, below 75 % of its maximum of 1000 MHz, on try 4 of 4',
      conditions: { before: { smClockMhz: 500 }, after: { smClockMhz: 500 } },
    });
    expect(timingOf(measurement).timeMs).toBeCloseTo(2, 9);
    expect(device.waitsMs).toEqual([2000, 4000, 8000]);
  });

  it('notices a thermal reason that begins while batches are timed', async () => {
    const throttled = { fromMs: 1550, toMs: 1e9, clockShare: 0.9, reasons: ['hw-thermal-slowdown'] };
    const { measurement } = await measureLaw({ runMs: 100, throttled }, { throttleRetries: 0 });
    expect(measurement).toMatchObject({
      outcome: 'throttled',
      reason: 'the device reports hw-thermal-slowdown, on try 1 of 1',
      conditions: { before: { throttleReasons: ['gpu-idle'] } },
    });
  });

  it('ignores harmless reasons and clocks above the limit', async () => {
    const throttled = phase(1e6, 0.8, ['applications-clocks-setting']);
    expect((await measureLaw({ runMs: 1, throttled })).measurement.outcome).toBe('ok');
  });

  it('notices a slowdown that shows only while batches run', async () => {
    const device = new SimulatedDevice({ runMs: 1 });
    device.batchState = () => ({ smClockMhz: 900, throttleReasons: ['sw-thermal-slowdown'] });
    const protocol = { ...protocolNamed('gpu'), throttleRetries: 0 };
    expect(await measure(device, protocol, device)).toMatchObject({
      outcome: 'throttled',
      reason: 'the device reports sw-thermal-slowdown, on try 1 of 1',
      conditions: { before: { throttleReasons: ['gpu-idle'] }, after: { throttleReasons: ['gpu-idle'] } },
    });
  });

  it.each([0.55, 0.7])('accepts a power-limited device at %d of its clock', async (share) => {
    const { device, measurement } = await measureLaw({
      runMs: 1,
      throttled: phase(1e9, share, ['sw-power-cap']),
    });
    expect(measurement).toMatchObject({ outcome: 'ok', powerLimited: true });
    expect(timingOf(measurement)).toMatchObject({
      timeMs: expect.closeTo(1 / share, 9) as number,
      batchClocks: { medianMhz: 1000 * share, minMhz: 1000 * share, maxMhz: 1000 * share },
    });
    expect(device.waitsMs).toEqual([]);
  });

  it('reports a slowdown when the device has a power limit and a thermal slowdown', async () => {
    const throttled = phase(1e9, 0.6, ['sw-power-cap', 'hw-slowdown']);
    const { measurement } = await measureLaw({ runMs: 1, throttled }, { throttleRetries: 0 });
    expect(measurement).toMatchObject({ outcome: 'throttled' });
  });

  it('reads the clock at every batch', async () => {
    // From 1000 MHz to 600 MHz in the middle of the batches; the conditions after them describe the end.
    const throttled = { fromMs: 1350, toMs: 1e9, clockShare: 0.6, reasons: ['sw-power-cap'] };
    const { measurement } = await measureLaw({ runMs: 30, throttled });
    expect(timingOf(measurement).batchClocks).toMatchObject({ minMhz: 600, maxMhz: 1000 });
    const quiet = await measureLaw({ runMs: 1 });
    expect(quiet.measurement).not.toHaveProperty('powerLimited');
  });

  it('does not wait beyond the time limit of the spec', async () => {
    const { device, measurement } = await measureLaw(
      { runMs: 1, throttled: phase(1e9) },
      { specTimeLimitMs: 3000 },
    );
    expect(measurement).toMatchObject({ outcome: 'throttled' });
    expect(device.waitsMs).toEqual([2000]);
  });
});

describe('other outcomes', () => {
  it('is noisy when the mean stays unknown, and keeps the timing', async () => {
    const { measurement } = await measureLaw({ runMs: 150, noise: 0.3 }, {}, 'cpu');
    expect(measurement).toMatchObject({ outcome: 'noisy', timing: { stoppedBy: 'total-time' } });
    expect(measurement).toHaveProperty('reason', expect.stringContaining('above 10.0 %'));
  });

  it('is wrong-result before anything is timed', async () => {
    const device = new SimulatedDevice({ runMs: 1 }, { ok: false, reason: 'output[0] is 7' });
    expect(await measure(device, protocolNamed('gpu'), device)).toEqual({
      outcome: 'wrong-result',
      reason: 'output[0] is 7',
      timing: null,
      conditions: null,
    });
    expect(device.batches).toBe(0);
  });

  it('does not check the output when the protocol says so', async () => {
    const device = new SimulatedDevice({ runMs: 1 }, { ok: false, reason: 'wrong' });
    const protocol = { ...protocolNamed('gpu'), checkOutput: false };
    expect((await measure(device, protocol, device)).outcome).toBe('ok');
  });

  it('is a timeout with the batches so far when the next one cannot end in time', async () => {
    const { device, measurement } = await measureLaw({ runMs: 400 }, { specTimeLimitMs: 2500 });
    expect(measurement).toMatchObject({ outcome: 'timeout', timing: { repetitions: 3, timeMs: 400 } });
    expect(device.nowMs()).toBeLessThanOrEqual(1000 + 2500);
  });

  it('counts the time limit from the start of the work on the spec', async () => {
    const device = new SimulatedDevice({ runMs: 400 });
    const protocol = { ...protocolNamed('gpu'), specTimeLimitMs: 2500 };
    const environment = { clock: device, readConditions: () => device.readConditions(), startedMs: 300 };
    expect(await measure(device, protocol, environment)).toMatchObject({
      outcome: 'timeout',
      timing: { repetitions: 1 },
    });
  });

  it('is a timeout without timing when the warm-up already takes too long', async () => {
    const { measurement } = await measureLaw({ runMs: 400 }, { specTimeLimitMs: 700 });
    expect(measurement).toMatchObject({ outcome: 'timeout', timing: null });
  });

  it.each([0, -1, NaN, Infinity])('refuses %d as a time', async (time) => {
    const device = new SimulatedDevice({ runMs: 1 });
    device.timeBatchMs = () => Promise.resolve(time);
    expect(await measure(device, protocolNamed('gpu'), device)).toMatchObject({
      outcome: 'wrong-result',
      reason: expect.stringMatching(/reads 0 ms for 1000000 convolutions|which is not a duration/),
      timing: null,
    });
  });

  it('lets batches grow until a timer that reads 0 can be read, to 5 %', async () => {
    const device = new SimulatedDevice({ runMs: 0.4 });
    const timeBatchMs = device.timeBatchMs.bind(device);
    const stepMs = 15.6;
    device.timeBatchMs = async (inner) => stepMs * Math.floor((await timeBatchMs(inner)) / stepMs);
    const { outcome, timing } = await measure(device, protocolNamed('cpu'), device);
    expect(outcome).toBe('ok');
    expect(timing?.timeMs).toBeGreaterThan(0.4 * 0.95);
    expect(timing?.timeMs).toBeLessThanOrEqual(0.4);
  });
});

it('records the eager time of executors that report it, and the algorithm that the library chose', async () => {
  const device = Object.assign(new SimulatedDevice({ runMs: 1 }), { eagerMs: () => Promise.resolve(1.25) });
  expect(await measure(device, protocolNamed('gpu'), device)).toMatchObject({
    outcome: 'ok',
    algorithm: 'law',
    workspaceBytes: 4096,
    timing: { eagerMs: 1.25, energyMillijoules: null },
  });
});

it.each(Object.keys(PROTOCOLS))('protocol %s times a quiet device', async (name) => {
  const { measurement } = await measureLaw({ runMs: 0.5 }, {}, name);
  expect(timingOf(measurement).timeMs).toBeCloseTo(0.5, 9);
});
