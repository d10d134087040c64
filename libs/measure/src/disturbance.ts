import { quantile } from 'simple-statistics';
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
/** Others' processor time is counted in steps of 10 ms: a shorter look says nothing. */
const LOOK_MS = 100;
/** A quiet moment is looked for this long at first. */
const FIRST_LOOK_MS = 12_000;
/** Once no moment was undisturbed for so long, samples do not wait for one any more. */
const PATIENCE_MS = 12_000;
/** The undisturbed time comes from the quiet looks of this time. A machine whose clock or temperature changed is another device then. */
const WINDOW_MS = 20_000;
/** The time of an earlier process counts until quiet looks cover this much of the window. */
const KNOWN_COUNTS_MS = 10_000;
/** The undisturbed time is this quantile of the readings: the fastest ones may be rare moments of a higher clock. */
export const UNDISTURBED_QUANTILE = 0.25;
const PAUSE_MS = 100;
/** A slow reading is taken again so often: an interrupt is no disturbance. */
const MORE_READINGS = 2;

export interface Disturbance {
  /** By how much the reference is slower than undisturbed: 0.1 is 10 %. Infinite where no quiet moment was ever seen. */
  readonly factor: number;
  /** The factor is within the limit, and other programs are quiet: a reference that fits the caches does not feel all they do. */
  readonly isUndisturbed: boolean;
}

/**
 * Tells whether other programs slow down what is measured on a host processor. A reference convolution is timed before and
 * after every batch; the share by which it is slower than in the undisturbed state of this machine is the disturbance.
 * Processor time does not protect from a busy sibling thread, a shared cache or memory bandwidth, and the spread within a
 * sample cannot show a slow state that lasts longer than the sample.
 *
 * The undisturbed state is the lower quartile of the readings in quiet moments of the last 20 s. So at least a quarter of
 * the quiet moments are undisturbed, whatever the machine is like, and no sample waits for a moment that comes once an hour.
 */
export class DisturbanceWatch {
  /** Time of the reference convolution in the undisturbed state, in milliseconds; infinite before the first quiet look. */
  private undisturbed = Infinity;
  /** The same, from an earlier process on this device; infinite without such a process. */
  private known = Infinity;
  private lastUndisturbedMs: number;
  private look: { readonly atMs: number; readonly othersMs: number; readonly timesMs: number[] };
  /** Median reading of every quiet look in the window. */
  private quietLooks: { readonly atMs: number; readonly timeMs: number }[] = [];
  /** Processors that others used in the last look. */
  private others = 0;
  private isBegun = false;

  constructor(private readonly machine: Machine) {
    this.lastUndisturbedMs = machine.clock.nowMs();
    this.look = this.newLook();
  }

  /** Sets the undisturbed time of an earlier process on this device, in milliseconds. Ignored after the first batch. */
  know(undisturbedMs: number): void {
    if (this.isBegun) return;
    this.known = Math.min(this.known, undisturbedMs);
    this.undisturbed = this.known;
  }

  /** Time of the reference convolution in the undisturbed state, in milliseconds; null before the first quiet moment. */
  get undisturbedMs(): number | null {
    return this.undisturbed === Infinity ? null : this.undisturbed;
  }

  /** Where no undisturbed time is known, looks for a quiet moment, once, and takes it there. */
  async begin(): Promise<void> {
    if (this.isBegun) return;
    this.isBegun = true;
    const { clock } = this.machine;
    const endMs = clock.nowMs() + FIRST_LOOK_MS;
    while (this.undisturbed === Infinity && clock.nowMs() < endMs) await this.lookForQuiet();
  }

  /**
   * Takes a reading of the reference convolution.
   * @param limit a reading above it is taken again
   */
  async read(limit: number): Promise<Disturbance> {
    const { machine } = this;
    let timeMs = await machine.referenceMs();
    for (let more = 0; more < MORE_READINGS && timeMs > (1 + limit) * this.undisturbed; more++) {
      timeMs = Math.min(timeMs, await machine.referenceMs());
    }
    // Before the look ends and may change it: what the caller waits for is the state that it knows.
    const factor = this.undisturbed === Infinity ? Infinity : Math.max(0, timeMs / this.undisturbed - 1);
    this.add(timeMs);
    const isUndisturbed = factor <= limit && this.isQuiet;
    if (isUndisturbed) this.lastUndisturbedMs = machine.clock.nowMs();
    return { factor, isUndisturbed };
  }

  /** Waits a moment, if it is worth it; false once the disturbance has lasted too long. */
  async pause(): Promise<boolean> {
    const { clock } = this.machine;
    if (clock.nowMs() - this.lastUndisturbedMs > PATIENCE_MS) {
      if (this.undisturbed === Infinity) await this.lookForQuiet();
      return false;
    }
    await clock.wait(PAUSE_MS);
    return true;
  }

  /** The likely cause, in words. */
  get cause(): string {
    const { processors } = this.machine;
    if (this.isQuiet) return 'a lower clock or a busy machine around this one';
    return `other programs used ${this.others.toFixed(1)} of ${processors} processors`;
  }

  private async lookForQuiet(): Promise<void> {
    this.look = this.newLook();
    const { look } = this;
    while (this.look === look) this.add(await this.machine.referenceMs());
  }

  /** Adds a reading to the look. Ends the look when it is long enough, and learns from it if the machine was quiet. */
  private add(timeMs: number): void {
    const { look, machine } = this;
    look.timesMs.push(timeMs);
    const nowMs = machine.clock.nowMs();
    if (nowMs - look.atMs < LOOK_MS) return;
    this.look = this.newLook();
    this.others = Math.max(0, (this.look.othersMs - look.othersMs) / (nowMs - look.atMs));
    if (!this.isQuiet) return;
    this.quietLooks.push({ atMs: nowMs, timeMs: quantile(look.timesMs, 0.5) });
    this.quietLooks = this.quietLooks.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    const quietTimesMs = this.quietLooks.map((quiet) => quiet.timeMs);
    if (nowMs - (this.quietLooks[0]?.atMs ?? nowMs) >= KNOWN_COUNTS_MS) this.known = Infinity;
    this.undisturbed = Math.min(this.known, quantile(quietTimesMs, UNDISTURBED_QUANTILE));
  }

  private newLook(): DisturbanceWatch['look'] {
    const { machine } = this;
    return { atMs: machine.clock.nowMs(), othersMs: machine.otherProcessorMs(), timesMs: [] };
  }

  /** Whether the machine was quiet in the last look. */
  private get isQuiet(): boolean {
    return this.others <= MAX_OTHERS * Math.max(1, this.machine.processors - 1);
  }
}
