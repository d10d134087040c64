import { EnergyMeterSchema } from '@alphaflops/contracts';
import type { EnergyMeter, OpenedMeter } from './energy-meter.js';

export interface MeterConformanceOptions {
  open: () => OpenedMeter;
  /** Makes the hardware draw this power for this time; absent on real hardware, which draws power anyway. */
  draw?: (powerW: number, durationMs: number) => void;
  /** Whether the meter counts the whole machine. */
  countsHost: boolean;
}

/**
 * Tests of the behaviour that all energy meters have in common. Call it in a `describe` of an adapter's tests.
 *
 * @throws Error, in the tests that it defines, when a meter behaves differently
 */
export function energyMeterConformance({ open, draw, countsHost }: MeterConformanceOptions): void {
  let meter: EnergyMeter;

  beforeEach(() => {
    const opened = open();
    if (!opened.ok) throw new Error(opened.reason);
    ({ meter } = opened);
  });
  afterEach(() => {
    meter.close();
  });

  it('describes itself', () => {
    expect(EnergyMeterSchema.parse(meter.description)).toEqual(meter.description);
  });

  it('reads the quantity of its method: energy that never falls, or power', () => {
    const { method } = meter.description;
    let lastMillijoules = -Infinity;
    for (let reading = 0; reading < 20; reading++) {
      draw?.(100, 10);
      const { energyMillijoules, powerW } = meter.read();
      if (method === 'power') {
        expect(energyMillijoules).toBeNull();
        expect(powerW).toBeGreaterThan(0);
      } else {
        expect(energyMillijoules).toBeGreaterThanOrEqual(lastMillijoules);
        lastMillijoules = energyMillijoules ?? NaN;
      }
    }
  });

  it('reports the processor time of other programs only if it counts the whole machine', () => {
    const otherMs = meter.otherProcessorMs();
    if (!countsHost) expect(otherMs).toBeNull();
    else expect(meter.otherProcessorMs()).toBeGreaterThanOrEqual(otherMs ?? NaN);
  });

  if (draw === undefined) return;

  it('counts the drawn energy over any time', () => {
    const before = meter.read();
    draw(250, 4000);
    const after = meter.read();
    if (meter.description.method === 'power') expect(after.powerW).toBe(250);
    else
      expect(
        ((after.energyMillijoules ?? NaN) - (before.energyMillijoules ?? NaN)) / (250 * 4000),
      ).toBeCloseTo(1, 6);
  });

  it('can be opened twice at once, and again after it is closed', () => {
    const second = open();
    if (!second.ok) throw new Error(second.reason);
    second.meter.close();
    expect(meter.read()).toBeDefined();
    meter.close();
    const third = open();
    expect(third.ok).toBe(true);
    if (third.ok) ({ meter } = third);
  });
}
