import type { Conditions } from '@alphaflops/contracts';
import { loadavg } from 'node:os';
import type { Nvml, NvmlDevice } from './nvml.js';

/** The description of a GPU that every executor records, from NVML. */
export interface GpuDescription {
  readonly uuid: string;
  readonly sku: string;
  readonly pciBusId: string;
  readonly memoryBytes: number | null;
  readonly smCount: number;
  readonly eccEnabled: boolean | null;
  readonly migEnabled: boolean | null;
  readonly powerLimitW: number | null;
  readonly maxSmClockMhz: number | null;
  readonly driver: string;
}

/** @param smCount number of SMs that this process may use; in MIG mode, those of the slice */
export function describeGpu(nvml: Nvml, pciBusId: string, smCount: number): GpuDescription {
  const device = nvml.deviceAt(pciBusId);
  const migEnabled = nvml.isMigEnabled(device);
  return {
    uuid: nvml.uuid(device),
    // A slice of a GPU is a different kind of device from the whole GPU.
    sku: nvml.productName(device) + (migEnabled === true ? ` (MIG, ${smCount} SMs)` : ''),
    pciBusId,
    memoryBytes: nvml.memoryBytes(device),
    smCount,
    eccEnabled: nvml.isEccEnabled(device),
    migEnabled,
    powerLimitW: nvml.powerLimitW(device),
    maxSmClockMhz: nvml.maxClockMhz(device),
    driver: nvml.driverVersion,
  };
}

/** How long the count of processes is reused. NVML needs milliseconds for it, as long as the timing of a small convolution. */
const PROCESSES_AGE_MS = 500;

/** The state of a GPU on which this process computes. */
export class GpuConditions {
  private processes: { count: number | null; readMs: number } = { count: null, readMs: -Infinity };

  constructor(
    private readonly nvml: Nvml,
    private readonly device: NvmlDevice,
  ) {}

  read(): Conditions {
    const { nvml, device } = this;
    return {
      smClockMhz: nvml.clockMhz(device),
      maxSmClockMhz: nvml.maxClockMhz(device),
      temperatureC: nvml.temperatureC(device),
      powerW: nvml.powerW(device),
      throttleReasons: nvml.throttleReasons(device),
      otherProcesses: this.otherProcesses(),
      hostLoad1: loadavg()[0] ?? null,
    };
  }

  /** The values that may change while a batch runs. The call takes microseconds. */
  readBatchState(): Pick<Conditions, 'smClockMhz' | 'throttleReasons'> {
    const { nvml, device } = this;
    return { smClockMhz: nvml.clockMhz(device), throttleReasons: nvml.throttleReasons(device) };
  }

  private otherProcesses(): number | null {
    const nowMs = performance.now();
    if (nowMs - this.processes.readMs > PROCESSES_AGE_MS) {
      this.processes = { count: this.nvml.computeProcesses(this.device), readMs: nowMs };
    }
    // One of them is this process. Its id may differ inside a container, so the count is reduced instead.
    return this.processes.count === null ? null : Math.max(0, this.processes.count - 1);
  }
}
