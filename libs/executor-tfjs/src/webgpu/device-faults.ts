import { setImmediate } from 'node:timers/promises';

const FILTERS = ['validation', 'internal', 'out-of-memory'] as const;

const TEXT_CHARACTERS = 800;

export interface Scoped<T> {
  /** Result of the work; undefined if it threw. */
  readonly value: T | undefined;
  readonly thrown: unknown;
  /** Errors of the device during the work. */
  readonly complaint: { readonly isOutOfMemory: boolean; readonly text: string } | null;
}

/**
 * WebGPU does not throw. It continues with invalid objects and reports errors later. This class checks all reported errors, so
 * that invalid work never counts as a measurement.
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

  /** Runs work on the device. Throws an Error with the device's report, also when the device is lost. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // A lost device rejects pending promises without a reason, and reports the reason a moment later.
      await setImmediate();
      this.throwIfAny();
      throw error;
    } finally {
      this.throwIfAny();
    }
  }

  /** Runs work and collects its errors separately. Throws if the device is lost. */
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
    // Operations on a buffer that could not be allocated are also invalid. Their errors are not the cause.
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
