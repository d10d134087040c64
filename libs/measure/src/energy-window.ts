import type { EnergyReading } from './energy.js';

/** One reading of an energy meter. */
export interface MeterReading {
  /** Energy since some fixed moment, in mJ, without wrap-around; null if the meter only reports power. */
  readonly energyMillijoules: number | null;
  /** Power at this moment in W; null if the meter only counts energy. */
  readonly powerW: number | null;
}

/**
 * Runs one convolution back to back, without a pause of the device, until `onEnded` returns false.
 *
 * @param onEnded called immediately after some convolutions have ended, with their number so far, and the device's own
 *   time since the start in ms if it has one (on every call, or on none)
 */
export type BackToBack = (onEnded: (convolutions: number, elapsedMs?: number) => boolean) => Promise<void>;

/** A counter that does not advance for this time counts as broken. NVML's counter advances about every 100 ms. */
export const MAX_TICK_MS = 1000;

/**
 * No accelerator and no host uses more power: the largest current hosts have eight processors of 500 W, and a GPU board
 * uses less than 1.5 kW. A counter that advances faster has jumped.
 */
export const MAX_POWER_W = 10_000;

/**
 * Measures the energy of one convolution. It runs the convolution back to back. The energy is the difference of the
 * meter between two advances at least `windowMs` apart, divided by the number of convolutions that ended between them.
 * If the meter has no counter, its power is integrated by the trapezoidal rule over the same time. Start and stop are
 * outside the window.
 *
 * @param windowMs length of the window in ms, at least 1
 * @param nowMs a clock that never goes back, in ms
 * @returns millijoules of one convolution, or the reason why they are unknown
 */
export async function measureEnergy(
  read: () => MeterReading,
  run: BackToBack,
  windowMs: number,
  nowMs: () => number,
): Promise<EnergyReading> {
  const window = new EnergyWindow(windowMs);
  await run((convolutions, elapsedMs) => {
    window.add({ ...read(), timeMs: elapsedMs ?? nowMs(), convolutions });
    return !window.isOver;
  });
  return window.reading();
}

interface Moment extends MeterReading {
  readonly timeMs: number;
  readonly convolutions: number;
}

class EnergyWindow {
  private begin: Moment | null = null;
  private end: Moment | null = null;
  private last: Moment | null = null;
  /** The last moment at which the counter had a new value. */
  private advanced: Moment | null = null;
  private integratedMillijoules: number | null = 0;
  private failure: string | null = null;

  constructor(private readonly windowMs: number) {}

  get isOver(): boolean {
    return this.end !== null || this.failure !== null;
  }

  add(now: Moment): void {
    const { last, begin } = this;
    if (begin !== null && last !== null) this.integrate(last, now);
    if (now.energyMillijoules === null) this.addPower(now);
    else this.addCount(now, now.energyMillijoules);
    this.last = now;
  }

  reading(): EnergyReading {
    const { begin, end, integratedMillijoules } = this;
    if (this.failure !== null) return { ok: false, reason: this.failure };
    if (begin === null || end === null) {
      return { ok: false, reason: 'the convolutions stopped before the energy window had ended' };
    }
    const iterations = end.convolutions - begin.convolutions;
    if (iterations < 1) return { ok: false, reason: 'no convolution ended inside the energy window' };
    const windowMs = end.timeMs - begin.timeMs;
    const integrated = integratedMillijoules === null ? null : integratedMillijoules / iterations;
    if (begin.energyMillijoules === null || end.energyMillijoules === null) {
      return integrated === null
        ? { ok: false, reason: 'the meter reported no power during the energy window' }
        : { ok: true, energyMillijoules: integrated, integratedMillijoules: null, windowMs, iterations };
    }
    const energyMillijoules = (end.energyMillijoules - begin.energyMillijoules) / iterations;
    return { ok: true, energyMillijoules, integratedMillijoules: integrated, windowMs, iterations };
  }

  /** W·ms are mJ. */
  private integrate(last: Moment, now: Moment): void {
    const { integratedMillijoules } = this;
    this.integratedMillijoules =
      integratedMillijoules === null || last.powerW === null || now.powerW === null
        ? null
        : integratedMillijoules + ((last.powerW + now.powerW) / 2) * (now.timeMs - last.timeMs);
  }

  private addPower(now: Moment): void {
    if (now.powerW === null) {
      this.failure = 'the meter reported neither energy nor power';
      return;
    }
    this.begin ??= now;
    if (now.timeMs - this.begin.timeMs >= this.windowMs) this.end = now;
  }

  private addCount(now: Moment, energyMillijoules: number): void {
    const { advanced, last } = this;
    if (advanced === null || last === null) {
      this.advanced = now;
      return;
    }
    const stepMillijoules = energyMillijoules - (advanced.energyMillijoules ?? energyMillijoules);
    if (stepMillijoules < 0) {
      this.failure = `the energy counter went back by ${-stepMillijoules} mJ: it was reset, or it is faulty`;
    } else if (stepMillijoules === 0) {
      if (now.timeMs - advanced.timeMs > MAX_TICK_MS) {
        this.failure = `the energy counter did not advance for ${MAX_TICK_MS} ms`;
      }
    } else if (stepMillijoules > MAX_POWER_W * Math.max(1, now.timeMs - advanced.timeMs)) {
      const overMs = (now.timeMs - advanced.timeMs).toFixed(0);
      this.failure = `the energy counter jumped by ${stepMillijoules.toFixed(0)} mJ in ${overMs} ms, which is more than any device uses`;
    } else {
      this.advanced = now;
      if (this.begin === null) this.begin = now;
      else if (now.timeMs - this.begin.timeMs >= this.windowMs) this.end = now;
    }
  }
}
