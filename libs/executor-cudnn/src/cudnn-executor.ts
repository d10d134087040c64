import { VERSION, errorText } from '@alphaflops/contracts';
import {
  describeHost,
  Executor,
  ExecutorError,
  type ExecutorSession,
  type ProbedDevice,
  type ProbeResult,
} from '@alphaflops/executor';
import { Cuda } from './cuda.js';
import { Backend } from './backend.js';
import { CudnnSession } from './cudnn-session.js';
import { readDeviceProperties } from './device-properties.js';
import { findLibraries, type FoundLibraries } from './find-libraries.js';
import { loadedFromTwoInstallations } from './loaded-libraries.js';
import { describeGpu, GpuConditions, Nvml } from '@alphaflops/nvidia';
import type { CudnnRules } from './set-up.js';

export interface CudnnOptions extends CudnnRules {
  /** Folders that are searched first: LD_LIBRARY_PATH. */
  readonly libraryPath: readonly string[];
}

interface OpenLibraries {
  readonly cuda: Cuda;
  readonly backend: Backend;
  readonly nvml: Nvml;
  readonly found: FoundLibraries;
}

/** NVIDIA's GPUs through cuDNN, without a compiler and without Python. CUDA_VISIBLE_DEVICES selects among them. */
export class CudnnExecutor extends Executor {
  readonly name: 'cudnn' | 'cudnn-fp32';
  readonly version = VERSION;

  constructor(private readonly options: CudnnOptions) {
    super();
    this.name = options.tf32 ? 'cudnn' : 'cudnn-fp32';
  }

  probe(): Promise<ProbeResult> {
    try {
      const libraries = this.openLibraries();
      try {
        const devices = ordinals(libraries).map((ordinal) => this.describe(libraries, ordinal));
        const reason = 'CUDA sees no device; CUDA_VISIBLE_DEVICES may hide them';
        return Promise.resolve(devices.length > 0 ? { ok: true, devices } : { ok: false, reason });
      } finally {
        libraries.nvml.shutdown();
      }
    } catch (error) {
      return Promise.resolve({ ok: false, reason: errorText(error) });
    }
  }

  open(deviceUuid: string): Promise<ExecutorSession> {
    const { cuda, backend, nvml } = this.openLibraries();
    const found = ordinals({ cuda })
      .map((ordinal) => ({ ordinal, nvmlDevice: nvml.deviceAt(cuda.pciBusId(ordinal)) }))
      .find(({ nvmlDevice }) => nvml.uuid(nvmlDevice) === deviceUuid);
    if (found === undefined) {
      nvml.shutdown();
      const message = `there is no device "${deviceUuid}" here; CUDA_VISIBLE_DEVICES may hide it`;
      return Promise.reject(new ExecutorError('unknown-device', message));
    }
    cuda.setDevice(found.ordinal);
    const stream = cuda.createStream();
    const handle = backend.createHandle();
    backend.setStream(handle, stream);
    const mixed = loadedFromTwoInstallations();
    if (mixed !== null) return Promise.reject(new ExecutorError('broken-installation', mixed));
    const device = {
      cuda,
      backend,
      nvml,
      stream,
      handle,
      nvmlDevice: found.nvmlDevice,
      conditions: new GpuConditions(nvml, found.nvmlDevice),
      l2Bytes: cuda.attribute(found.ordinal, 'l2Bytes'),
      memoryBytes: cuda.memory().totalBytes,
    };
    return Promise.resolve(new CudnnSession(device, this.options));
  }

  /** Throws `ExecutorError('start-failed')` that names what is missing. */
  private openLibraries(): OpenLibraries {
    const found = findLibraries(this.options.libraryPath);
    if (!found.ok) throw new ExecutorError('start-failed', found.reason);
    const { cudart, cudnn, nvml } = found.libraries;
    const backend = new Backend(cudnn);
    return { cuda: new Cuda(cudart), backend, nvml: new Nvml(nvml), found: found.libraries };
  }

  /** Also makes a handle, so that a cuDNN that cannot use the driver fails here, and not at every convolution. */
  private describe({ cuda, backend, nvml, found }: OpenLibraries, ordinal: number): ProbedDevice {
    cuda.setDevice(ordinal);
    const handle = backend.createHandle();
    let properties: string | null;
    try {
      properties = readDeviceProperties(backend, handle);
    } finally {
      backend.destroyHandle(handle);
    }
    const mixed = loadedFromTwoInstallations();
    if (mixed !== null) throw new ExecutorError('broken-installation', mixed);
    const gpu = describeGpu(nvml, cuda.pciBusId(ordinal), cuda.attribute(ordinal, 'smCount'));
    const { uuid, sku, memoryBytes, smCount } = gpu;
    const capability = `${cuda.attribute(ordinal, 'capabilityMajor')}.${cuda.attribute(ordinal, 'capabilityMinor')}`;
    return {
      uuid,
      sku,
      kind: 'gpu',
      executor: this.name,
      memoryBytes,
      smCount,
      computeCapability: capability,
      ...(properties !== null && { cudnnDeviceProperties: properties }),
      provenance: {
        schema: 'alphaflops.provenance/1',
        device: {
          ...gpu,
          l2Bytes: cuda.attribute(ordinal, 'l2Bytes'),
          computeCapability: capability,
          driverCuda: cuda.driverVersion,
          cudartPath: found.cudart.path,
          cudnnPath: found.cudnn.path,
        },
        executor: { name: this.name, version: this.version },
        libraries: {
          cuda: cuda.runtimeVersion,
          cudnn: backend.version,
          'cudnn-api': 'graph',
          'engine-choice': this.options.choice,
          timer: 'graph replay',
        },
        mathMode: this.options.tf32 ? 'tf32' : 'f32',
        host: describeHost(),
      },
    };
  }
}

function ordinals({ cuda }: Pick<OpenLibraries, 'cuda'>): number[] {
  return Array.from({ length: cuda.deviceCount() }, (_, ordinal) => ordinal);
}
