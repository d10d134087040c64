import { VERSION, errorText } from '@alphaflops/contracts';
import {
  describeHost,
  Executor,
  ExecutorError,
  type ExecutorSession,
  type ProbedDevice,
  type ProbeResult,
} from '@alphaflops/executor';
import {
  CudaDriver,
  describeGpu,
  GpuConditions,
  Library,
  Nvml,
  type GpuDescription,
  type NvmlDevice,
} from '@alphaflops/nvidia';
import { claimProcess } from '../one-backend.js';
import { TfjsSession } from '../tfjs-session.js';
import { nodeGpuBackend, tryOut } from './node-gpu-backend.js';
import { loadTfjsNode, type TfjsNode } from './tfjs-node-package.js';

export interface NodeGpuSettings {
  /** Where tfjs-node-gpu is installed, if not among the packages around this one. */
  readonly folder?: string | undefined;
  /** Folders that are searched first for the driver's libraries. */
  readonly libraryPath: readonly string[];
}

/** Otherwise TensorFlow allocates all memory of the GPU at once, and leaves none to the processes of other executors. */
const ENVIRONMENT = { TF_FORCE_GPU_ALLOW_GROWTH: 'true', TF_CPP_MIN_LOG_LEVEL: '1' };

/** NVIDIA's GPUs through TensorFlow.js on TensorFlow: the runtime of the paper. */
export class NodeGpuExecutor extends Executor {
  readonly name = 'tfjs-node-gpu';
  readonly version = VERSION;

  constructor(private readonly settings: NodeGpuSettings) {
    super();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- nothing here can be waited for
  async probe(): Promise<ProbeResult> {
    try {
      const nvml = this.openNvml();
      try {
        const driver = this.openDriver();
        const loaded = this.load({});
        tryOut(loaded.tf);
        const devices = gpusOf(driver, nvml).map((gpu) => this.describe(gpu, driver, loaded));
        return { ok: true, devices };
      } finally {
        nvml.shutdown();
      }
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- nothing here can be waited for
  async open(deviceUuid: string): Promise<ExecutorSession> {
    const nvml = this.openNvml();
    try {
      const device = nvml.deviceWithUuid(deviceUuid);
      if (device === null) {
        throw new ExecutorError('unknown-device', `there is no device "${deviceUuid}" here`);
      }
      return this.openDevice(deviceUuid, nvml, device);
    } catch (error) {
      nvml.shutdown();
      throw error;
    }
  }

  private openDevice(deviceUuid: string, nvml: Nvml, device: NvmlDevice): ExecutorSession {
    // The package uses the last of several GPUs. CUDA reads the variable when it starts. Slices of a GPU have other ids,
    // and a process sees at most one of them.
    const isWhole = nvml.isMigEnabled(device) !== true;
    const loaded = this.load(isWhole ? { CUDA_VISIBLE_DEVICES: deviceUuid } : {});
    const used = gpusOf(this.openDriver(), nvml).at(-1)?.uuid ?? 'none';
    if (used !== deviceUuid) {
      const message = `TensorFlow.js computes on the last GPU that this process sees: ${used}, not ${deviceUuid}`;
      throw new ExecutorError('unknown-device', message);
    }
    const conditions = new GpuConditions(nvml, device);
    return new TfjsSession(nodeGpuBackend(loaded, nvml.memoryBytes(device)), {
      readConditions: () => Promise.resolve(conditions.read()),
      close: () => {
        nvml.shutdown();
      },
    });
  }

  /** Throws `ExecutorError('start-failed')`. */
  private load(environment: Readonly<Record<string, string>>): TfjsNode {
    claimProcess(this.name);
    const loaded = loadTfjsNode('node-gpu', this.settings.folder, { ...ENVIRONMENT, ...environment });
    if (loaded.isUsingGpu) return loaded;
    throw new ExecutorError(
      'start-failed',
      `TensorFlow ${loaded.tensorflow} uses no GPU: it was built without CUDA (tensorflow_cpu), or libraries of CUDA or ` +
        'cuDNN are missing, which it names when it is loaded: see docs/tfjs-node.md',
    );
  }

  private openNvml(): Nvml {
    return new Nvml(this.library('libnvidia-ml.so.1'));
  }

  private openDriver(): CudaDriver {
    return new CudaDriver(this.library('libcuda.so.1'));
  }

  private library(name: string): Library {
    try {
      return Library.find(name, this.settings.libraryPath);
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new ExecutorError('start-failed', `NVIDIA's driver is not installed: ${name}: ${String(why)}`);
    }
  }

  private describe(gpu: GpuDescription, driver: CudaDriver, loaded: TfjsNode): ProbedDevice {
    const { uuid, sku, memoryBytes, smCount } = gpu;
    return {
      uuid,
      sku,
      kind: 'gpu',
      executor: this.name,
      memoryBytes,
      smCount,
      provenance: {
        schema: 'alphaflops.provenance/1',
        device: { ...gpu, driverCuda: driver.version },
        executor: { name: this.name, version: this.version },
        libraries: { ...nodeGpuBackend(loaded, memoryBytes).libraries },
        mathMode: 'tf32',
        host: describeHost(),
      },
    };
  }
}

/** The devices that this process may use, in CUDA's order. */
function gpusOf(driver: CudaDriver, nvml: Nvml): GpuDescription[] {
  return Array.from({ length: driver.deviceCount }, (_, ordinal) =>
    describeGpu(nvml, driver.pciBusId(ordinal), driver.attribute(ordinal, 'smCount')),
  );
}
