import type { Cuda, Stream } from './cuda.js';
import type { Backend, Handle } from './backend.js';
import type { GpuConditions, Nvml, NvmlDevice } from '@alphaflops/nvidia';

/** An open GPU: the libraries, and the handles of this process. */
export interface Device {
  readonly cuda: Cuda;
  readonly backend: Backend;
  readonly nvml: Nvml;
  readonly stream: Stream;
  readonly handle: Handle;
  readonly nvmlDevice: NvmlDevice;
  readonly conditions: GpuConditions;
  /** 0 if the device does not report it. */
  readonly l2Bytes: number;
  readonly memoryBytes: number;
}
