import { BYTES_PER_ELEMENT, type Dtype } from '@alphaflops/conv';
import { SEEDED_PERIOD, seededArray, type InputName } from '@alphaflops/measure';
import type { Cuda, DevicePointer, Stream } from './cuda.js';
import type { DeviceMemory } from './device-memory.js';
import { encode } from './half.js';

/**
 * The random inputs in device memory. Their elements depend only on the index, and nothing overwrites them. So a buffer that was
 * filled once can be used for every smaller convolution of its dtype.
 */
export class SeededBuffers {
  private readonly seeds = new Map<string, number>();

  constructor(
    private readonly cuda: Cuda,
    private readonly memory: DeviceMemory,
    private readonly stream: Stream,
  ) {}

  /** A buffer with at least the first `length` elements. Throws a `GpuError` with `isOutOfMemory`. */
  take(name: InputName, dtype: Dtype, seed: number, length: number): DevicePointer {
    const purpose = `${name}:${dtype}`;
    const size = BYTES_PER_ELEMENT[dtype];
    const { pointer, isNew } = this.memory.take(purpose, length * size);
    if (!isNew && this.seeds.get(purpose) === seed) return pointer;
    this.seeds.delete(purpose);
    const capacity = this.memory.bytesOf(purpose) / size;
    const period = encode(seededArray(name, seed, Math.min(capacity, SEEDED_PERIOD)), dtype);
    this.cuda.copyToDevice(pointer, period, this.stream);
    // The device copies whole periods and doubles the filled part each time. Each copy starts at a multiple of the period.
    for (let filled = period.length; filled < capacity; filled *= 2) {
      const target = pointer + BigInt(filled * size);
      this.cuda.copyOnDevice(target, pointer, Math.min(filled, capacity - filled) * size, this.stream);
    }
    this.seeds.set(purpose, seed);
    return pointer;
  }
}
