import { setImmediate } from 'node:timers/promises';

const FILTERS = ['validation', 'internal', 'out-of-memory'] as const;

const TEXT_CHARACTERS = 800;

export interface Scoped<T> {
  /** What the work returned; undefined if it threw. */
  readonly value: T | undefined;
  readonly thrown: unknown;
  /** What the device complained of meanwhile. */
  readonly complaint: { readonly isOutOfMemory: boolean; readonly text: string } | null;
}

/**
 * WebGPU does not throw: it goes on with invalid objects and tells of it later. Everything it tells is looked at here, so
 * that no invalid work is taken for a measurement.
 */
export class DeviceFaults {
  private fault: string | null = null;

  constructor(private readonly device: GPUDevice) {
    device.onuncapturederror = ({ error }) => {
      this.fault ??= `${error.constructor.name}: ${textOf(error)}`;
    };
    void device.lost.then(({ reason, message }) => {
      this.fault ??= `the device was lost (${reason}): ${message}`;
    });
  }

  /** Does some work on the device. Throws an Error with what the device says went wrong, its loss included. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // A lost device rejects what is waited for without a word, and gives its reason a moment later.
      await setImmediate();
      this.throwIfAny();
      throw error;
    } finally {
      this.throwIfAny();
    }
  }

  /** Does some work whose errors are kept apart. Throws if the device is lost. */
  async during<T>(work: () => Promise<T>): Promise<Scoped<T>> {
    for (const filter of FILTERS) this.device.pushErrorScope(filter);
    let value: T | undefined;
    let thrown: unknown;
    try {
      value = await work();
    } catch (error) {
      thrown = error;
    }
    const errors = await this.guard(() => Promise.all(FILTERS.map(() => this.device.popErrorScope())));
    const isOutOfMemory = (error: GPUError | null): boolean => error instanceof GPUOutOfMemoryError;
    // What is done with a buffer that could not be had is invalid too, and not what matters.
    const error = errors.find(isOutOfMemory) ?? errors.find((error) => error !== null) ?? null;
    const complaint = error && { isOutOfMemory: isOutOfMemory(error), text: textOf(error) };
    return { value, thrown, complaint };
  }

  private throwIfAny(): void {
    if (this.fault !== null) throw new Error(`WebGPU: ${this.fault}`);
  }
}

function textOf({ message }: GPUError): string {
  return message.replace(/\s+/g, ' ').trim().slice(0, TEXT_CHARACTERS);
}
