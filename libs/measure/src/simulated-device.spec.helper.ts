import type { Conditions } from '@alphaflops/contracts';
import type { Clock } from './clock.js';
import type { Environment } from './environment.js';
import { seededElement } from './seeded-inputs.js';
import type { BatchState, OutputCheck, TimedConv } from './timed-conv.js';

export interface TimingLaw {
  /** Time of one convolution on a warm, quiet device, in milliseconds. */
  runMs: number;
  /** Milliseconds added to every batch. */
  batchMs?: number;
  /** Relative standard deviation of a batch. */
  noise?: number;
  /** Share by which a run becomes slower with each second. */
  driftPerSecond?: number;
  /** One batch in this many takes ten times as long. */
  spikeEvery?: number;
  /** The first run takes this much longer (a kernel is compiled). */
  compileMs?: number;
  /** A period of wall time in which the device runs at this share of its clock. */
  throttled?: { fromMs: number; toMs: number; clockShare: number; reasons?: string[] };
  seed?: number;
}

/** A device with a known timing law and its own clock: no real time passes. */
export class SimulatedDevice implements Clock, Environment, TimedConv {
  readonly clock = this;
  readonly algorithm = 'law';
  readonly workspaceBytes = 4096;
  readonly waitsMs: number[] = [];
  batches = 0;
  private timeMs = 1000;

  constructor(
    private readonly law: TimingLaw,
    private readonly check: OutputCheck = { ok: true },
  ) {}

  nowMs(): number {
    return this.timeMs;
  }

  wait(durationMs: number): Promise<void> {
    this.waitsMs.push(durationMs);
    this.timeMs += durationMs;
    return Promise.resolve();
  }

  /** Lets time pass without counting it as a wait. */
  waitQuietly(durationMs: number): void {
    this.timeMs += durationMs;
  }

  checkOutput(): Promise<OutputCheck> {
    return Promise.resolve(this.check);
  }

  timeBatchMs(inner: number): Promise<number> {
    const { runMs, batchMs = 0, noise = 0, driftPerSecond = 0, spikeEvery, compileMs = 0 } = this.law;
    const drift = 1 + (driftPerSecond * (this.timeMs - 1000)) / 1000;
    let time = (batchMs + (runMs * inner * drift) / this.clockShare()) * (1 + noise * this.nextNoise());
    if (this.batches === 0) time += compileMs;
    this.batches++;
    if (spikeEvery !== undefined && this.batches % spikeEvery === 0) time *= 10;
    this.timeMs += time;
    return Promise.resolve(time);
  }

  /** Like a driver, at the end of the batch. */
  batchState(): BatchState {
    const clockShare = this.clockShare();
    const throttleReasons = clockShare < 1 ? (this.law.throttled?.reasons ?? []) : [];
    return { smClockMhz: 1000 * clockShare, throttleReasons };
  }

  readConditions(): Promise<Conditions> {
    const clockShare = this.clockShare();
    return Promise.resolve({
      smClockMhz: 1000 * clockShare,
      maxSmClockMhz: 1000,
      temperatureC: null,
      powerW: null,
      throttleReasons: clockShare < 1 ? (this.law.throttled?.reasons ?? []) : ['gpu-idle'],
      otherProcesses: null,
      hostLoad1: null,
    });
  }

  private clockShare(): number {
    const phase = this.law.throttled;
    return phase && this.timeMs >= phase.fromMs && this.timeMs < phase.toMs ? phase.clockShare : 1;
  }

  /** Zero mean, unit variance: the sum of six uniform numbers in (−1, 1) has variance 2. */
  private nextNoise(): number {
    const seed = this.law.seed ?? 1;
    let sum = 0;
    for (let i = 0; i < 6; i++) sum += seededElement('input', seed, 6 * this.batches + i);
    return sum / Math.SQRT2;
  }
}
