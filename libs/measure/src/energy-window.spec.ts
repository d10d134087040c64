import { measureEnergy, type BackToBack, type MeterReading } from './energy-window.js';

/** Ten convolutions every 7 ms, by the host's clock or the device's. */
function runner(clock: { timeMs: number }, hasOwnClock = false): BackToBack {
  return (onEnded) => {
    const startMs = clock.timeMs;
    for (let ended = 0; ;) {
      clock.timeMs += 7;
      ended += 10;
      const goesOn = hasOwnClock ? onEnded(ended, clock.timeMs - startMs) : onEnded(ended);
      if (!goesOn) return Promise.resolve();
    }
  };
}

/** @param energyMillijoulesAt of a moment, in ms since the start; null without a counter */
async function energyBy(
  energyMillijoulesAt: (timeMs: number) => number | null,
  powerWAt: (timeMs: number) => number | null = () => null,
  windowMs = 1000,
) {
  const clock = { timeMs: 0 };
  const read = (): MeterReading => ({
    energyMillijoules: energyMillijoulesAt(clock.timeMs),
    powerW: powerWAt(clock.timeMs),
  });
  return await measureEnergy(read, runner(clock), windowMs, () => clock.timeMs);
}

/** As NVML's: advances every 100 ms. */
const ticking = (powerW: number) => (timeMs: number) => powerW * 100 * Math.floor(timeMs / 100);

describe('energy window', () => {
  it('lies between two advances of the counter, at least so far apart', async () => {
    const reading = await energyBy(ticking(300));
    if (!reading.ok) throw new Error(reading.reason);
    // 10 convolutions in 7 ms at 300 W; each end is seen up to 7 ms late.
    expect(reading.energyMillijoules / (300 * 0.7)).toBeCloseTo(1, 1);
    expect(reading.windowMs).toBeGreaterThanOrEqual(1000);
    expect(reading.windowMs).toBeLessThan(1110);
    expect(reading.integratedMillijoules).toBeNull();
    expect(reading.iterations / reading.windowMs).toBeCloseTo(10 / 7, 6);
  });

  it('integrates the power in addition to the counter, or in place of it', async () => {
    const power = (timeMs: number) => 200 + timeMs / 10;
    const both = await energyBy(ticking(300), () => 290);
    expect(both).toMatchObject({ ok: true, integratedMillijoules: expect.closeTo(290 * 0.7, 6) as number });
    const alone = await energyBy(() => null, power);
    if (!alone.ok) throw new Error(alone.reason);
    expect(alone.integratedMillijoules).toBeNull();
    // The trapezoidal rule is exact for a straight line: 7 ms to the first reading, then the window.
    expect(alone.energyMillijoules).toBeCloseTo((200 + (7 + alone.windowMs / 2) / 10) * 0.7, 6);
  });

  it('uses the time of the device if it has one', async () => {
    const clock = { timeMs: 0 };
    const run = runner(clock, true);
    const read = (): MeterReading => ({ energyMillijoules: ticking(300)(clock.timeMs), powerW: null });
    const reading = await measureEnergy(read, run, 1000, () => {
      throw new Error('the host clock was read');
    });
    expect(reading).toMatchObject({ ok: true });
  });

  it.each<[string, (timeMs: number) => number | null, RegExp]>([
    ['stands still', () => 77, /did not advance for 1000 ms/],
    ['stops', (timeMs) => ticking(300)(Math.min(timeMs, 500)), /did not advance for 1000 ms/],
    ['jumps', (timeMs) => ticking(300)(timeMs) + (timeMs > 600 ? 1e10 : 0), /jumped by \d+ mJ in \d+ ms/],
    ['goes back', (timeMs) => ticking(300)(timeMs) - (timeMs > 600 ? 1e7 : 0), /went back by/],
    [
      'is missing, and there is no power',
      (timeMs) => (timeMs > 600 ? null : ticking(300)(timeMs)),
      /neither energy/,
    ],
  ])('gives no energy if the counter %s', async (_which, energyMillijoulesAt, reason) => {
    expect(await energyBy(energyMillijoulesAt)).toEqual({
      ok: false,
      reason: expect.stringMatching(reason) as string,
    });
  });
});
