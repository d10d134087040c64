import type { Clock } from './clock.js';
import { DisturbanceWatch } from './disturbance.js';
import { measure } from './measure.js';
import { protocolNamed } from './protocols.js';
import { SimulatedDevice } from './simulated-device.spec.helper.js';

/** A processor that other programs slow down at some times. Batches and the reference then take longer. */
class SharedProcessor {
  readonly device = new SimulatedDevice({ runMs: 1, noise: 0.01 });
  readonly watch: DisturbanceWatch;
  private othersMs = 0;
  private seenMs: number;

  /**
   * @param slowness by the time in milliseconds since the start: 1 is undisturbed
   * @param referenceSlowness of the reference alone, which may slow down less
   */
  constructor(
    slowness: (sinceMs: number) => number,
    areOthersSeen = true,
    referenceSlowness: (sinceMs: number) => number = slowness,
  ) {
    const { device } = this;
    const startMs = device.nowMs();
    this.seenMs = startMs;
    const now = () => slowness(device.nowMs() - startMs);
    const timeBatchMs = device.timeBatchMs.bind(device);
    device.timeBatchMs = async (inner) => {
      const factor = now();
      const timeMs = await timeBatchMs(inner);
      device.waitQuietly((factor - 1) * timeMs);
      return factor * timeMs;
    };
    const clock: Clock = device;
    this.watch = new DisturbanceWatch({
      referenceMs: () => {
        const timeMs = 1.5 * referenceSlowness(device.nowMs() - startMs);
        device.waitQuietly(timeMs);
        return Promise.resolve(timeMs);
      },
      otherProcessorMs: () => {
        if (areOthersSeen && now() > 1) this.othersMs += 1.5 * (device.nowMs() - this.seenMs);
        this.seenMs = device.nowMs();
        return this.othersMs;
      },
      processors: 2,
      clock,
    });
  }

  measure(protocol = protocolNamed('cpu')) {
    const { device, watch } = this;
    const readConditions = () => device.readConditions();
    return measure(device, protocol, { clock: device, readConditions, disturbance: watch });
  }
}

/** The short form of `npm run bench -- neighbours`. */
it('waits for undisturbed batches and counts only these, beside programs that are busy for half of the time', async () => {
  const shared = new SharedProcessor((sinceMs) => (sinceMs % 10_000 > 5000 ? 1.6 : 1));
  const startMs = shared.device.nowMs();
  for (let sample = 0; sample < 60; sample++) {
    const { outcome, timing, conditions } = await shared.measure();
    expect(outcome).toBe('ok');
    expect(timing?.timeMs).toBeLessThan(1.03);
    expect(conditions?.after.disturbance).toBeLessThanOrEqual(0.06);
    expect(conditions?.before.disturbance).toBeUndefined();
  }
  const quiet = new SharedProcessor(() => 1);
  const quietStartMs = quiet.device.nowMs();
  for (let sample = 0; sample < 60; sample++) await quiet.measure();
  const quietMs = quiet.device.nowMs() - quietStartMs;
  expect(shared.device.nowMs() - startMs).toBeLessThan(3 * quietMs);
});

it('has no sample with outcome ok on a machine that is never quiet, and soon stops waiting', async () => {
  const shared = new SharedProcessor(() => 1.6);
  const times: number[] = [];
  for (let sample = 0; sample < 6; sample++) {
    const startMs = shared.device.nowMs();
    const measurement = await shared.measure();
    times.push(shared.device.nowMs() - startMs);
    expect(measurement.outcome).toBe('noisy');
    expect(measurement).toMatchObject({
      reason: expect.stringMatching(/batches were disturbed: .*other programs used 1\.5 of 2 processors/),
    });
  }
  expect(times.at(-1)).toBeLessThan(1500);
});

it('finds the disturbance that begins after a quiet start', async () => {
  const shared = new SharedProcessor((sinceMs) => (sinceMs < 3000 ? 1 : 1.3));
  const outcomes = [];
  for (let sample = 0; sample < 20; sample++) outcomes.push(await shared.measure());
  expect(outcomes[0]?.outcome).toBe('ok');
  const last = outcomes.at(-1);
  expect(last).toMatchObject({
    outcome: 'noisy',
    reason: expect.stringMatching(/took up to 1\.30 times as long as undisturbed/),
  });
});

it('accepts a quiet machine that stays slower as its new undisturbed state', async () => {
  const shared = new SharedProcessor((sinceMs) => (sinceMs < 3000 ? 1 : 1.3), false);
  const outcomes = [];
  for (let sample = 0; sample < 40; sample++) outcomes.push((await shared.measure()).outcome);
  expect(outcomes[0]).toBe('ok');
  expect(outcomes.at(-1)).toBe('ok');
});

it('does not wait for the rare moments in which a quiet machine is faster than usual', async () => {
  const shared = new SharedProcessor((sinceMs) => (sinceMs % 1000 < 50 ? 1 : 1.25), false);
  const outcomes = [];
  for (let sample = 0; sample < 60; sample++) outcomes.push((await shared.measure()).outcome);
  expect(outcomes).toEqual(outcomes.map(() => 'ok'));
  const steady = new SharedProcessor(() => 1.25, false);
  for (let sample = 0; sample < 60; sample++) await steady.measure();
  const [erraticMs, steadyMs] = [shared, steady].map(({ device }) => device.nowMs());
  expect(erraticMs).toBeLessThan(1.5 * (steadyMs ?? 0));
});

it('has no sample with outcome ok beside busy programs that do not slow down the reference', async () => {
  const shared = new SharedProcessor(
    (sinceMs) => (sinceMs < 3000 ? 1 : 1.4),
    true,
    () => 1,
  );
  const samples = [];
  for (let sample = 0; sample < 20; sample++) samples.push(await shared.measure());
  expect(samples[0]?.outcome).toBe('ok');
  expect(samples.at(-1)).toMatchObject({
    outcome: 'noisy',
    reason: expect.stringMatching(/other programs were busy.*other programs used 1\.5 of 2 processors/),
    // The worker treats an unknown share as a disturbance, and reports it when it lasts.
    conditions: { after: { disturbance: null } },
  });
});

it('leaves out batches that were slowed down between two undisturbed readings', async () => {
  let batch = 0;
  const shared = new SharedProcessor(() => 1, false);
  const timeBatchMs = shared.device.timeBatchMs.bind(shared.device);
  shared.device.timeBatchMs = async (inner) => (++batch % 3 === 0 ? 1.5 : 1) * (await timeBatchMs(inner));
  const { outcome, timing, conditions } = await shared.measure();
  expect(outcome).toBe('ok');
  expect(timing?.repetitions).toBeGreaterThanOrEqual(protocolNamed('cpu').minBatches);
  expect(Math.max(...(timing?.batchTimesMs ?? []))).toBeLessThan(1.1);
  expect(conditions?.after.disturbance).toBeLessThanOrEqual(0.06);
});

it('gives up a convolution whose batches differ on an undisturbed machine', async () => {
  let batch = 0;
  const shared = new SharedProcessor(() => 1, false);
  const timeBatchMs = shared.device.timeBatchMs.bind(shared.device);
  shared.device.timeBatchMs = async (inner) => 1.2 ** (++batch % 10) * (await timeBatchMs(inner));
  expect(await shared.measure()).toMatchObject({
    outcome: 'noisy',
    reason: expect.stringMatching(/batches were disturbed/),
  });
  expect(batch).toBeLessThan(100);
});

it('learns nothing about the undisturbed state while other programs are busy', async () => {
  const shared = new SharedProcessor((sinceMs) => (sinceMs < 3000 ? 1 : 1.3));
  for (let sample = 0; sample < 60; sample++) await shared.measure();
  expect(shared.watch.undisturbedMs).toBe(1.5);
});

it('uses the undisturbed state of an earlier process on a machine that is never quiet', async () => {
  const shared = new SharedProcessor(() => 1.6);
  expect(shared.watch.undisturbedMs).toBeNull();
  shared.watch.know(1.5);
  const { outcome, conditions } = await shared.measure();
  expect(outcome).toBe('noisy');
  expect(conditions?.after.disturbance).toBeCloseTo(0.6, 3);
  expect(shared.watch.undisturbedMs).toBe(1.5);
});

it('is null when no watch exists', async () => {
  const device = new SimulatedDevice({ runMs: 1 });
  const { outcome, conditions } = await measure(device, protocolNamed('cpu'), device);
  expect(outcome).toBe('ok');
  expect(conditions?.after.disturbance).toBeUndefined();
});
