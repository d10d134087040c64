import type { EnergyReading } from '@alphaflops/measure';
import type { Event } from './cuda.js';
import type { Device } from './device.js';

/** The counter advances about every 100 ms; after this long without an advance it is taken not to count. */
const MAX_TICK_MS = 1000;

/**
 * Runs chunks of convolutions back to back, always one ahead of the one that is waited for, and takes the counter's
 * difference between two of its advances over the convolutions that had ended by them.
 * @param launchChunk puts a chunk on the stream, some 5 ms long
 */
export function measureEnergy(
  device: Device,
  launchChunk: () => void,
  convsInChunk: number,
  windowMs: number,
): EnergyReading {
  const { cuda, nvml, stream, nvmlDevice } = device;
  if (nvml.totalEnergyMj(nvmlDevice) === null) {
    return { ok: false, reason: 'the device has no counter of its total energy' };
  }
  const first = cuda.createEvent();
  const ends: [Event, Event] = [cuda.createEvent(), cuda.createEvent()];
  try {
    const window = new Window(windowMs);
    const put = (chunk: number): void => {
      launchChunk();
      cuda.recordEvent(ends[chunk % 2 === 0 ? 0 : 1], stream);
    };
    cuda.recordEvent(first, stream);
    put(0);
    for (let done = 0; !window.isOver; done++) {
      put(done + 1);
      const ended = ends[done % 2 === 0 ? 0 : 1];
      cuda.waitForEvent(ended);
      const energyMj = nvml.totalEnergyMj(nvmlDevice) ?? NaN;
      window.add(
        cuda.elapsedMs(first, ended),
        energyMj,
        nvml.powerNowW(nvmlDevice),
        (done + 1) * convsInChunk,
      );
    }
    cuda.synchronize(stream);
    return window.reading();
  } finally {
    for (const event of [first, ...ends]) cuda.destroyEvent(event);
  }
}

interface Moment {
  readonly timeMs: number;
  readonly energyMj: number;
  readonly convs: number;
}

/** From the first advance of the counter to the first one after the wanted time. */
class Window {
  private last: Moment | null = null;
  private begin: Moment | null = null;
  private end: Moment | null = null;
  private lastAdvanceMs = 0;
  /** W·ms are mJ. */
  private integratedMj: number | null = 0;

  constructor(private readonly wantedMs: number) {}

  get isOver(): boolean {
    return this.end !== null || (this.last?.timeMs ?? 0) - this.lastAdvanceMs > MAX_TICK_MS;
  }

  add(timeMs: number, energyMj: number, powerW: number | null, convs: number): void {
    const { last } = this;
    const now = { timeMs, energyMj, convs };
    if (this.begin !== null && last !== null) {
      this.integratedMj =
        powerW === null || this.integratedMj === null
          ? null
          : this.integratedMj + powerW * (timeMs - last.timeMs);
    }
    if (last !== null && energyMj !== last.energyMj) {
      this.lastAdvanceMs = timeMs;
      if (this.begin === null) this.begin = now;
      else if (timeMs - this.begin.timeMs >= this.wantedMs) this.end = now;
    }
    this.last = now;
  }

  reading(): EnergyReading {
    const { begin, end, integratedMj } = this;
    if (begin === null || end === null) {
      return { ok: false, reason: `the counter of the total energy did not advance for ${MAX_TICK_MS} ms` };
    }
    const iterations = end.convs - begin.convs;
    return {
      ok: true,
      energyMj: (end.energyMj - begin.energyMj) / iterations,
      integratedMj: integratedMj === null ? null : integratedMj / iterations,
      windowMs: end.timeMs - begin.timeMs,
      iterations,
    };
  }
}
