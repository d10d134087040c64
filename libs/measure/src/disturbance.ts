import { quantile } from 'simple-statistics';
import type { Clock } from './clock.js';

/** What the watch uses of the machine. */
export interface Machine {
  /** Times the reference convolution once, in milliseconds. */
  referenceMs(): Promise<number>;
  /** Processor time that other programs have used so far, in milliseconds, summed over processors. */
  otherProcessorMs(): number;
  readonly processors: number;
  readonly clock: Clock;
}

/**
 * The machine is quiet while other programs use at most this share of the processors that this worker does not use. The
 * coordinator and its Redis may run here as well and use less. One busy program on two processors uses twice as much.
 */
const MAX_OTHERS = 0.5;
/** The system counts the processor time of other programs in steps of 10 ms: a shorter look is not exact enough. */
const LOOK_MS = 100;
/** At the start, the watch looks for a quiet moment for this long. */
const FIRST_LOOK_MS = 12_000;
/** Samples stop waiting for an undisturbed moment after none occurred for this long. */
const PATIENCE_MS = 12_000;
/** The undisturbed time comes from the quiet looks of this window. It is short, because the clock and the temperature of a machine change. */
const WINDOW_MS = 20_000;
/** The undisturbed time of an earlier process is used until quiet looks cover this much of the window. */
const KNOWN_COUNTS_MS = 10_000;
/** The undisturbed time is this quantile of the readings: the fastest readings may come from rare moments with a higher clock. */
export const UNDISTURBED_QUANTILE = 0.25;
const PAUSE_MS = 100;
/** A slow reading is repeated up to this many times: one interrupt is not a disturbance. */
const MORE_READINGS = 2;

export interface Disturbance {
  /** By how much the reference is slower than in the undisturbed state: 0.1 is 10 %. Infinite if no quiet moment occurred yet. */
  readonly factor: number;
  /** The factor is within the limit, and other programs are quiet. A reference that fits the caches does not show all their effects. */
  readonly isUndisturbed: boolean;
}

/**
 * Detects whether other programs slow down a measurement on a host processor. It times a reference convolution before and
 * after every batch. The disturbance is the share by which the reference is slower than in the undisturbed state of this
 * machine. Processor time does not show the effects of a busy sibling thread, a shared cache or shared memory bandwidth. The
 * spread within a sample does not show a slow state that lasts longer than the sample.
 *
 * The undisturbed state is the lower quartile of the readings in quiet moments of the last 20 s. So at least a quarter of
 * the quiet moments are undisturbed on every machine, and no sample waits for a moment that comes once an hour.
 */
export class DisturbanceWatch {
  /** Time of the reference convolution in the undisturbed state, in milliseconds; infinite before the first quiet look. */
  private undisturbed = Infinity;
  /** The same time from an earlier process on this device; infinite without such a process. */
  private known = Infinity;
  private lastUndisturbedMs: number;
  private look: { readonly atMs: number; readonly othersMs: number; readonly timesMs: number[] };
  /** Median reading of every quiet look in the window. */
  private quietLooks: { readonly atMs: number; readonly timeMs: number }[] = [];
  /** Number of processors that other programs used in the last look. */
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

  /** Looks for a quiet moment once, if no undisturbed time is known, and uses the reading in it as the undisturbed time. */
  async begin(): Promise<void> {
    if (this.isBegun) return;
    this.isBegun = true;
    const { clock } = this.machine;
    const endMs = clock.nowMs() + FIRST_LOOK_MS;
    while (this.undisturbed === Infinity && clock.nowMs() < endMs) await this.lookForQuiet();
  }

  /**
   * Takes a reading of the reference convolution.
   * @param limit a reading above it is repeated
   */
  async read(limit: number): Promise<Disturbance> {
    const { machine } = this;
    let timeMs = await machine.referenceMs();
    for (let more = 0; more < MORE_READINGS && timeMs > (1 + limit) * this.undisturbed; more++) {
      timeMs = Math.min(timeMs, await machine.referenceMs());
    }
    // Computed before the look ends, because the look may change the undisturbed time for which the caller waits.
    const factor = this.undisturbed === Infinity ? Infinity : Math.max(0, timeMs / this.undisturbed - 1);
    this.add(timeMs);
    const isUndisturbed = factor <= limit && this.isQuiet;
    if (isUndisturbed) this.lastUndisturbedMs = machine.clock.nowMs();
    return { factor, isUndisturbed };
  }

  /** Waits a moment. Returns false once the disturbance has lasted too long. */
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

  /** Adds a reading to the look. Ends a look that is long enough, and updates the undisturbed time if the machine was quiet. */
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
