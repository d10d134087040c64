import type { EnergyReading } from './energy.js';

/** One look at an energy meter. */
export interface MeterReading {
  /** Energy counted since some fixed moment, in mJ, free of wrap-around; null where the meter only reports power. */
  readonly energyMillijoules: number | null;
  /** Power at this moment in W; null where the meter only counts energy. */
  readonly powerW: number | null;
}

/**
 * Runs one convolution back to back, without a pause in which the device could rest, until `onEnded` answers false.
 *
 * @param onEnded called now and then, right when some have ended: how many have by now, and the device's own time since
 * the start in ms where it has one (on every call, or on none)
 */
export type BackToBack = (onEnded: (convolutions: number, elapsedMs?: number) => boolean) => Promise<void>;

/** A counter that stands still for this long is taken not to count. NVML's advances about every 100 ms. */
export const MAX_TICK_MS = 1000;

/**
 * No accelerator and no host draws more: the largest hosts of today have eight processors of 500 W, a GPU board stays
 * below 1.5 kW. A counter that advances faster has jumped.
 */
export const MAX_POWER_W = 10_000;

/**
 * Energy of one convolution: runs it back to back and takes the difference of the meter between two of its advances at
 * least `windowMs` apart, over the convolutions that ended between them. A meter without a counter is integrated by the
 * trapezoidal rule over the same time. Starting and stopping lie outside the window.
 *
 * @param windowMs length of the window in ms, at least 1
 * @param nowMs a clock that never goes back, in ms
 * @returns millijoules of one convolution, or why they are not known
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
      this.failure = `the energy counter jumped by ${stepMillijoules.toFixed(0)} mJ in ${overMs} ms, which no device draws`;
    } else {
      this.advanced = now;
      if (this.begin === null) this.begin = now;
      else if (now.timeMs - this.begin.timeMs >= this.windowMs) this.end = now;
    }
  }
}
