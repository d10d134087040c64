import { GpuError } from './error.js';
import { type Library, textIn } from './library.js';
import { cudaVersionText } from './versions.js';

/** Names and values of cuda.h. */
const ATTRIBUTES = { smCount: 16, l2Bytes: 38, capabilityMajor: 75, capabilityMinor: 76 } as const;

/**
 * CUDA's driver library, a part of the driver. It gives the devices that this process may use, in CUDA's order. It reads
 * CUDA_VISIBLE_DEVICES once, when it starts.
 */
export class CudaDriver {
  private readonly nameOf: (status: number) => string;
  private readonly wordsOf: (status: number) => string;

  /** @param library libcuda.so.1; throws `GpuError` */
  constructor(private readonly library: Library) {
    this.nameOf = library.bindTextOut('cuGetErrorName');
    this.wordsOf = library.bindTextOut('cuGetErrorString');
    this.call('cuInit', 'unsigned int flags', 0);
  }

  /** The newest CUDA that the driver can run, such as `13.0`. */
  get version(): string {
    return cudaVersionText(this.number('cuDriverGetVersion', 'void *version'));
  }

  get deviceCount(): number {
    return this.number('cuDeviceGetCount', 'void *count');
  }

  pciBusId(ordinal: number): string {
    const text = Buffer.alloc(32);
    const parameters = 'void *id, int size, int device';
    this.call('cuDeviceGetPCIBusId', parameters, text, text.length, this.device(ordinal));
    return textIn(text);
  }

  attribute(ordinal: number, name: keyof typeof ATTRIBUTES): number {
    const parameters = 'void *value, int attribute, int device';
    return this.number('cuDeviceGetAttribute', parameters, ATTRIBUTES[name], this.device(ordinal));
  }

  private device(ordinal: number): number {
    return this.number('cuDeviceGet', 'void *device, int ordinal', ordinal);
  }

  private number(name: string, parameters: string, ...args: number[]): number {
    const out = new Int32Array(1);
    this.call(name, parameters, out, ...args);
    return out[0] ?? 0;
  }

  private call(name: string, parameters: string, ...args: (number | ArrayBufferView)[]): void {
    const status = this.library.bind(`int ${name}(${parameters})`)(...args);
    if (status !== 0) throw new GpuError('cuda', name, status, this.nameOf(status), this.wordsOf(status));
  }
}
