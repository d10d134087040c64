import type { Cuda, DevicePointer } from './cuda.js';

interface Block {
  readonly pointer: DevicePointer;
  readonly bytes: number;
}

/**
 * Device memory by purpose. A block is reused as long as it is large enough, because an allocation synchronises the device and
 * takes longer than many convolutions.
 */
export class DeviceMemory {
  private readonly blocks = new Map<string, Block>();

  constructor(private readonly cuda: Cuda) {}

  /**
   * A block of at least `bytes`. Unless it is new, it has the contents of its last use.
   * Throws a `GpuError` that `isOutOfMemory`; `releaseExcept` may help then.
   */
  take(purpose: string, bytes: number): { pointer: DevicePointer; isNew: boolean } {
    const block = this.blocks.get(purpose);
    if (block !== undefined && block.bytes >= bytes) return { pointer: block.pointer, isNew: false };
    this.release(purpose);
    const pointer = this.cuda.malloc(Math.max(1, bytes));
    this.blocks.set(purpose, { pointer, bytes });
    return { pointer, isNew: true };
  }

  bytesOf(purpose: string): number {
    return this.blocks.get(purpose)?.bytes ?? 0;
  }

  /** Frees everything, so that the next spec has the whole device. */
  releaseAll(): void {
    for (const purpose of [...this.blocks.keys()]) this.release(purpose);
  }

  private release(purpose: string): void {
    const block = this.blocks.get(purpose);
    if (block === undefined) return;
    this.blocks.delete(purpose);
    this.cuda.free(block.pointer);
  }
}
