import type { Conditions } from '@alphaflops/contracts';
import { extensionsOf, type ConvSpec } from '@alphaflops/conv';
import { ExecutorSession, type PrepareOptions, type PrepareResult } from '@alphaflops/executor';
import { CudnnConv } from './cudnn-conv.js';
import type { Device } from './device.js';
import { DeviceMemory } from './device-memory.js';
import { GpuError } from '@alphaflops/nvidia';
import { geometryOf, neededBytes } from './geometry.js';
import { SeededBuffers } from './seeded-buffers.js';
import { setUpConv, type MathOptions } from './set-up.js';

/** One GPU through cuDNN. Device memory is kept from spec to spec. */
export class CudnnSession extends ExecutorSession {
  private readonly memory: DeviceMemory;
  private readonly inputs: SeededBuffers;

  constructor(
    private readonly device: Device,
    private readonly options: MathOptions,
  ) {
    super();
    this.memory = new DeviceMemory(device.cuda);
    this.inputs = new SeededBuffers(device.cuda, this.memory, device.stream);
  }

  prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult> {
    const { l2Bytes, memoryBytes } = this.device;
    const [extension] = extensionsOf(spec);
    if (extension !== undefined) {
      const reason = `cudnn does not compute ${extension}`;
      return Promise.resolve({ ok: false, outcome: 'unsupported', reason });
    }
    if (options.mode === 'cold' && l2Bytes === 0) {
      const reason =
        'the device does not tell the size of its L2 cache, which is to be overwritten for mode cold';
      return Promise.resolve({ ok: false, outcome: 'unsupported', reason });
    }
    const geometry = geometryOf(spec);
    const needed = neededBytes(geometry) + (options.mode === 'cold' ? l2Bytes : 0);
    if (needed > memoryBytes) {
      const reason = `${mebibytes(needed)} are needed, the device has ${mebibytes(memoryBytes)}`;
      return Promise.resolve({ ok: false, outcome: 'out-of-memory', reason });
    }
    const first = this.trySetUp(geometry, options);
    if (first.ok || first.outcome !== 'out-of-memory') return Promise.resolve(first);
    // What earlier specs have left allocated may be what is missing.
    this.memory.releaseAll();
    return Promise.resolve(this.trySetUp(geometry, options));
  }

  readConditions(): Promise<Conditions> {
    return Promise.resolve(this.device.conditions.read());
  }

  dispose(): Promise<void> {
    const { cuda, cudnn, nvml, stream, handle } = this.device;
    this.memory.releaseAll();
    cudnn.destroy(handle);
    cuda.destroyStream(stream);
    nvml.shutdown();
    return Promise.resolve();
  }

  private trySetUp(geometry: ReturnType<typeof geometryOf>, options: PrepareOptions): PrepareResult {
    try {
      const result = setUpConv(this.device, this.memory, this.inputs, geometry, options, this.options);
      return result.ok ? { ok: true, conv: new CudnnConv(this.device, result.setUp) } : result;
    } catch (error) {
      if (error instanceof GpuError && error.isOutOfMemory) {
        const needed = mebibytes(neededBytes(geometry));
        return { ok: false, outcome: 'out-of-memory', reason: `${needed} are needed: ${error.message}` };
      }
      if (error instanceof GpuError && error.isUnsupported) {
        return { ok: false, outcome: 'unsupported', reason: error.message };
      }
      throw error;
    }
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
