import type { Conditions } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import {
  ExecutorError,
  ExecutorSession,
  type PrepareOptions,
  type PrepareResult,
} from '@alphaflops/executor';
import { CudnnConv } from './cudnn-conv.js';
import type { Device } from './device.js';
import { DeviceMemory } from './device-memory.js';
import { GpuError } from '@alphaflops/nvidia';
import { SeededBuffers } from './seeded-buffers.js';
import { type CudnnRules, neededBytes, setUpConv } from './set-up.js';

/** One GPU through cuDNN. The next spec reuses the device memory. */
export class CudnnSession extends ExecutorSession {
  private readonly memory: DeviceMemory;
  private readonly inputs: SeededBuffers;

  constructor(
    private readonly device: Device,
    private readonly rules: CudnnRules,
  ) {
    super();
    this.memory = new DeviceMemory(device.cuda);
    this.inputs = new SeededBuffers(device.cuda, this.memory, device.stream);
  }

  prepare(spec: ConvSpec, options: PrepareOptions): Promise<PrepareResult> {
    const { l2Bytes, memoryBytes } = this.device;
    if (options.mode === 'cold' && l2Bytes === 0) {
      const reason =
        'the device does not tell the size of its L2 cache, which is to be overwritten for mode cold';
      return Promise.resolve({ ok: false, outcome: 'unsupported', reason });
    }
    const needed = neededBytes(spec) + (options.mode === 'cold' ? l2Bytes : 0);
    if (needed > memoryBytes) {
      const reason = `${mebibytes(needed)} are needed, the device has ${mebibytes(memoryBytes)}`;
      return Promise.resolve({ ok: false, outcome: 'out-of-memory', reason });
    }
    const first = this.trySetUp(spec, options);
    if (first.ok || first.outcome !== 'out-of-memory') return Promise.resolve(first);
    // Memory that earlier specs left allocated may be enough.
    this.memory.releaseAll();
    return Promise.resolve(this.trySetUp(spec, options));
  }

  readConditions(): Promise<Conditions> {
    return Promise.resolve(this.device.conditions.read());
  }

  dispose(): Promise<void> {
    const { cuda, backend, nvml, stream, handle } = this.device;
    this.memory.releaseAll();
    backend.destroyHandle(handle);
    cuda.destroyStream(stream);
    nvml.shutdown();
    return Promise.resolve();
  }

  private trySetUp(spec: ConvSpec, options: PrepareOptions): PrepareResult {
    try {
      const result = setUpConv(this.device, this.memory, this.inputs, spec, options, this.rules);
      return result.ok ? { ok: true, conv: new CudnnConv(this.device, result.setUp) } : result;
    } catch (error) {
      if (error instanceof GpuError && error.isOutOfMemory) {
        const needed = mebibytes(neededBytes(spec));
        return { ok: false, outcome: 'out-of-memory', reason: `${needed} are needed: ${error.message}` };
      }
      if (error instanceof GpuError && error.isUnsupported) {
        return { ok: false, outcome: 'unsupported', reason: error.message };
      }
      if (error instanceof GpuError && error.isBrokenInstallation) {
        throw new ExecutorError('broken-installation', `cuDNN does not work here: ${error.message}`);
      }
      throw error;
    }
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
