import type { Conditions, Kernel, Result } from '@alphaflops/contracts';
import type { EnergyReading } from './energy.js';
import type { BackToBack } from './energy-window.js';

/** Whether a convolution computed the correct result. */
export type OutputCheck = Result;

/** State of the device while a batch ran. */
export type BatchState = Pick<Conditions, 'smClockMhz' | 'throttleReasons'>;

/** One convolution that an executor has allocated and filled, ready to be timed. */
export interface TimedConv {
  /**
   * Runs `inner` convolutions back to back and returns their total time in milliseconds. This is device time if the
   * executor can measure it separately from host time. The timed part does not read results back.
   */
  timeBatchMs(inner: number): Promise<number>;
  /** The state while the last batch ran. Absent if the executor cannot read it. */
  batchState?(): BatchState | null;
  /** Time of one convolution that the host launches, in milliseconds, including the launch. Absent if the executor has no such time. */
  eagerMs?(): Promise<number>;
  /**
   * Runs the convolution back to back, so that its energy can be measured. Absent if repeated calls of `timeBatchMs` leave no
   * significant pause.
   */
  runBackToBack?: BackToBack | undefined;
  /** Energy of one convolution over `windowMs`. Only executors with an energy meter of their own have it. */
  energy?: ((windowMs: number) => Promise<EnergyReading>) | undefined;
  /** Compares a few output points with a reference. */
  checkOutput?(): Promise<OutputCheck>;
  /** Algorithm or kernel that the library chose; null if the library does not report it. */
  readonly algorithm: string | null;
  readonly workspaceBytes: number | null;
  /** Absent if the library does not report which kernel runs. */
  readonly kernel?: Kernel | undefined;
}
