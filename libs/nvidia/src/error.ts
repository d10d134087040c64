/** The library whose call failed. */
export type GpuErrorCode = 'cuda' | 'cudnn' | 'nvml';

/** Statuses for an unsupported convolution (cudnn_graph.h of cuDNN 9; the last one is from cuDNN 8). */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  'NOT_SUPPORTED',
  'NOT_SUPPORTED_GRAPH_PATTERN',
  'NOT_SUPPORTED_SHAPE',
  'NOT_SUPPORTED_DATA_TYPE',
  'NOT_SUPPORTED_LAYOUT',
  'NOT_SUPPORTED_ARCH_MISMATCH',
  'NOT_SUPPORTED_SHARED_MEMORY_INSUFFICIENT',
  'NOT_SUPPORTED_PADDING',
  'NOT_SUPPORTED_BAD_LAUNCH_PARAM',
  'NOT_SUPPORTED_CUDA_GRAPH_NATIVE_API',
  'NOT_SUPPORTED_INVALID_DYNAMIC_SHAPE',
  'ARCH_MISMATCH',
]);

/** Statuses for a broken installation. */
const BROKEN: ReadonlySet<string> = new Set([
  'NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER',
  'NOT_SUPPORTED_INCOMPATIBLE_CUDART',
  'NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING',
  'NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE',
  'NOT_INITIALIZED',
  'SUBLIBRARY_VERSION_MISMATCH',
  'SUBLIBRARY_LOADING_FAILED',
  'SERIALIZATION_VERSION_MISMATCH',
  'LICENSE_ERROR',
  // From cuDNN 8.
  'RUNTIME_PREREQUISITE_MISSING',
  'VERSION_MISMATCH',
]);

/** A call of one of NVIDIA's libraries returned something other than success. */
export class GpuError extends Error {
  /**
   * @param call name of the function
   * @param statusName the library's own name of the status, such as `cudaErrorMemoryAllocation`
   * @param text the library's error text
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

  /** cuDNN does not support this convolution, and remains usable. */
  get isUnsupported(): boolean {
    return this.code === 'cudnn' && UNSUPPORTED.has(this.statusName.replace('CUDNN_STATUS_', ''));
  }

  /** cuDNN is not compatible with the driver, with CUDA or with its own parts. No convolution works until the installation is repaired. */
  get isBrokenInstallation(): boolean {
    return this.code === 'cudnn' && BROKEN.has(this.statusName.replace('CUDNN_STATUS_', ''));
  }
}
