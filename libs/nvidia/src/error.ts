/** Whose call failed. */
export type GpuErrorCode = 'cuda' | 'cudnn' | 'nvml';

/** A call of one of NVIDIA's libraries returned something other than success. */
export class GpuError extends Error {
  /**
   * @param call name of the function
   * @param statusName the library's own name of the status, such as `cudaErrorMemoryAllocation`
   * @param text the library's own words
   */
  constructor(
    readonly code: GpuErrorCode,
    readonly call: string,
    readonly status: number,
    readonly statusName: string,
    text: string,
  ) {
    super(`${call}: ${statusName === text ? text : `${statusName} (${text})`}`);
    this.name = 'GpuError';
  }

  /** cuDNN 8 has CUDNN_STATUS_ALLOC_FAILED, cuDNN 9 CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED. */
  get isOutOfMemory(): boolean {
    return /^cudaErrorMemoryAllocation$|_ALLOC(ATION)?_FAILED$/.test(this.statusName);
  }

  /** The library has no way to do it, and is otherwise unharmed. */
  get isUnsupported(): boolean {
    return this.code === 'cudnn' && /_NOT_SUPPORTED|_ARCH_MISMATCH/.test(this.statusName);
  }
}
