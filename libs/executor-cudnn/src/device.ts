import type { Cuda, Stream } from './cuda.js';
import type { Cudnn, Handle } from './cudnn.js';
import type { GpuConditions, Nvml, NvmlDevice } from '@alphaflops/nvidia';

/** A GPU in use: the libraries, and this process's handles in them. */
export interface Device {
  readonly cuda: Cuda;
  readonly cudnn: Cudnn;
  readonly nvml: Nvml;
  readonly stream: Stream;
  readonly handle: Handle;
  readonly nvmlDevice: NvmlDevice;
  readonly conditions: GpuConditions;
  /** 0 where the device does not tell. */
  readonly l2Bytes: number;
  readonly memoryBytes: number;
}
