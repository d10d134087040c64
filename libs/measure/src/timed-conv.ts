import type { Conditions, Kernel, Result } from '@alphaflops/contracts';
import type { EnergyReading } from './energy.js';
import type { BackToBack } from './energy-window.js';

/** Whether a convolution computed what it should have. */
export type OutputCheck = Result;

/** State of the device while a batch ran. */
export type BatchState = Pick<Conditions, 'smClockMhz' | 'throttleReasons'>;

/** One convolution that an executor has allocated and filled, ready to be timed. */
export interface TimedConv {
  /**
   * Runs `inner` convolutions back to back and returns the milliseconds of all of them: device time where the
   * executor can tell it from host time. Nothing is read back inside the timed part.
   */
  timeBatchMs(inner: number): Promise<number>;
  /** Read while the last batch ran. Absent where the executor cannot. */
  batchState?(): BatchState | null;
  /** Milliseconds of one convolution launched from the host, launch cost included. Absent where it means nothing. */
  eagerMs?(): Promise<number>;
  /**
   * Runs it back to back, so that its energy can be measured. Absent where `timeBatchMs`, called again and again, leaves
   * no pause that matters.
   */
  runBackToBack?: BackToBack | undefined;
  /** Energy of one convolution over `windowMs`, only where the executor has an energy meter of its own. */
  energy?: ((windowMs: number) => Promise<EnergyReading>) | undefined;
  /** Compares a few output points with a reference. */
  checkOutput?(): Promise<OutputCheck>;
  /** Algorithm or kernel that the library chose, where it can tell. */
  readonly algorithm: string | null;
  readonly workspaceBytes: number | null;
  /** Absent where the library cannot say which kernel runs. */
  readonly kernel?: Kernel | undefined;
}
