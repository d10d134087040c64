import type { Conditions } from '@alphaflops/contracts';
import type { Clock } from './clock.js';
import type { DisturbanceWatch } from './disturbance.js';
import type { MeterReading } from './energy-window.js';

/** The meter of the device that computes, as measuring needs it. */
export interface EnergySource {
  /** Kept with each sample: energies of two meters are not comparable. */
  readonly name: string;
  /** The meter now; throws where the hardware fails. */
  read(): MeterReading;
  /**
   * Processor time that other programs of the machine have used so far, in ms. Null where they do not matter, because
   * the meter counts a device that computes for this program only.
   */
  otherProcessorMs(): number | null;
}

/** What a measurement gets besides the convolution and the protocol. */
export interface Environment {
  readonly clock: Clock;
  /** State of the device now. Read right before and right after the timed batches. */
  readConditions(): Promise<Conditions>;
  /** What counts the energy of the device, or why nothing does. */
  readonly energy?: EnergySource | string | undefined;
  /** Power of the device while it computes nothing, in W, where it was read before. */
  readonly idlePowerW?: number | null | undefined;
  /** Detects the effect of other programs on a host processor; absent if no other program can use the device. */
  readonly disturbance?: DisturbanceWatch | undefined;
  /** Clock time at which the work on this convolution began, if it began before the call. The time limit counts from here. */
  readonly startedMs?: number;
}
