import type { Clock } from './clock.js';

/** What the watch needs of the machine. */
export interface Machine {
  /** Times the reference convolution once, in milliseconds. */
  referenceMs(): Promise<number>;
  /** Processor time that other programs have used so far, in milliseconds, summed over processors. */
  otherProcessorMs(): number;
  readonly processors: number;
  readonly clock: Clock;
}

/**
 * The machine is quiet while others use no more than this share of the processors that are not ours. The coordinator and
 * its Redis, which may run here as well, use less; a single busy program on two processors uses twice as much.
 */
const MAX_OTHERS = 0.5;
/** Others' processor time is counted in steps of 10 ms or more: a shorter look says nothing. */
const LOOK_MS = 200;
/** A quiet moment is looked for this long at first. */
const FIRST_LOOK_MS = 12_000;
/** Once no moment was undisturbed for so long, samples do not wait for one any more. */
const PATIENCE_MS = 12_000;
/** A quiet machine whose reference stays slow for so long is another device now: its clock, its temperature. */
const RENEW_AFTER_MS = 10_000;
const PAUSE_MS = 100;
/** A slow reading is taken again so often: an interrupt is no disturbance. */
const MORE_READINGS = 2;

/**
 * Tells whether other programs slow down what is measured on a host processor. A reference convolution is timed before and
 * after every batch; the share by which it is slower than its best on this machine is the disturbance. Processor time does
 * not protect from a busy sibling thread, a shared cache or memory bandwidth, and the spread within a sample cannot show
 * a slow state that lasts longer than the sample.
 */
export class DisturbanceWatch {
  /** Best time of the reference convolution in a quiet moment, in milliseconds; infinite before the first one. */
  private bestMs = Infinity;
  private lastUndisturbedMs: number;
  private slowSinceMs: number | null = null;
  private slowBestMs = Infinity;
  private look: { readonly atMs: number; readonly othersMs: number };
  /** Processors that others used in the last look. */
  private others = 0;
  private isBegun = false;

  constructor(private readonly machine: Machine) {
    this.lastUndisturbedMs = machine.clock.nowMs();
    this.look = { atMs: machine.clock.nowMs(), othersMs: machine.otherProcessorMs() };
  }

  /** Its best time in an earlier process on this device, in milliseconds. Means something before the first batch only. */
  know(bestMs: number): void {
    if (!this.isBegun) this.bestMs = Math.min(this.bestMs, bestMs);
  }

  /** The best time of the reference convolution, in milliseconds; null before the first quiet moment. */
  get best(): number | null {
    return this.bestMs === Infinity ? null : this.bestMs;
  }

  /** Where no best time is known, looks for a quiet moment, once, and takes it there. */
  async begin(): Promise<void> {
    if (this.isBegun) return;
    this.isBegun = true;
    const { clock } = this.machine;
    const endMs = clock.nowMs() + FIRST_LOOK_MS;
    while (this.bestMs === Infinity && clock.nowMs() < endMs) await this.lookForQuiet();
  }

  /**
   * By how much the machine is slower than undisturbed, now: 0.1 is 10 %. Infinite where no quiet moment was ever seen.
   * @param limit a reading above it is taken again
   */
  async factor(limit: number): Promise<number> {
    const { machine } = this;
    let timeMs = await machine.referenceMs();
    for (let more = 0; more < MORE_READINGS && timeMs > (1 + limit) * this.bestMs; more++) {
      timeMs = Math.min(timeMs, await machine.referenceMs());
    }
    const isQuiet = this.updateOthers();
    if (this.bestMs !== Infinity) this.bestMs = Math.min(this.bestMs, timeMs);
    const factor = timeMs / this.bestMs - 1;
    if (this.bestMs === Infinity) return Infinity;
    const nowMs = machine.clock.nowMs();
    if (factor <= limit) {
      this.lastUndisturbedMs = nowMs;
      this.slowSinceMs = null;
    } else if (!isQuiet || this.slowSinceMs === null) {
      this.slowSinceMs = isQuiet ? nowMs : null;
      this.slowBestMs = timeMs;
    } else {
      this.slowBestMs = Math.min(this.slowBestMs, timeMs);
      if (nowMs - this.slowSinceMs > RENEW_AFTER_MS) this.bestMs = this.slowBestMs;
    }
    return factor;
  }

  /** Waits a moment, if it is worth it; false once the disturbance has lasted too long. */
  async pause(): Promise<boolean> {
    const { clock } = this.machine;
    if (clock.nowMs() - this.lastUndisturbedMs > PATIENCE_MS) {
      if (this.bestMs === Infinity) await this.lookForQuiet();
      return false;
    }
    await clock.wait(PAUSE_MS);
    return true;
  }

  /** The likely cause, in words. */
  get cause(): string {
    const { processors } = this.machine;
    if (this.isQuietWith(this.others)) return 'a lower clock or a busy machine around this one';
    return `other programs used ${this.others.toFixed(1)} of ${processors} processors`;
  }

  private async lookForQuiet(): Promise<void> {
    const { machine } = this;
    const startMs = machine.clock.nowMs();
    this.look = { atMs: startMs, othersMs: machine.otherProcessorMs() };
    let bestMs = Infinity;
    while (machine.clock.nowMs() - startMs < LOOK_MS) bestMs = Math.min(bestMs, await machine.referenceMs());
    if (this.updateOthers()) this.bestMs = bestMs;
  }

  /** Whether the machine was quiet in the last look. */
  private updateOthers(): boolean {
    const { clock } = this.machine;
    const passedMs = clock.nowMs() - this.look.atMs;
    if (passedMs >= LOOK_MS) {
      const othersMs = this.machine.otherProcessorMs();
      this.others = Math.max(0, (othersMs - this.look.othersMs) / passedMs);
      this.look = { atMs: clock.nowMs(), othersMs };
    }
    return this.isQuietWith(this.others);
  }

  private isQuietWith(others: number): boolean {
    return others <= MAX_OTHERS * Math.max(1, this.machine.processors - 1);
  }
}
