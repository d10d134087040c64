import type { Cuda, Stream } from './cuda.js';
import type { Backend, Handle } from './backend.js';
import type { GpuConditions, Nvml, NvmlDevice } from '@alphaflops/nvidia';

/** A GPU in use: the libraries, and this process's handles in them. */
export interface Device {
  readonly cuda: Cuda;
  readonly backend: Backend;
  readonly nvml: Nvml;
  readonly stream: Stream;
  readonly handle: Handle;
  readonly nvmlDevice: NvmlDevice;
  readonly conditions: GpuConditions;
  /** 0 where the device does not tell. */
  readonly l2Bytes: number;
  readonly memoryBytes: number;
}
