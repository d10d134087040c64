import type { Conditions } from '@alphaflops/contracts';
import { loadavg } from 'node:os';
import type { Nvml, NvmlDevice } from './nvml.js';

/** What every executor records of a GPU, from NVML. */
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

/** @param smCount of what this process may use: of a slice in MIG mode */
export function describeGpu(nvml: Nvml, pciBusId: string, smCount: number): GpuDescription {
  const device = nvml.deviceAt(pciBusId);
  const migEnabled = nvml.isMigEnabled(device);
  return {
    uuid: nvml.uuid(device),
    // A slice of a GPU is another kind of device than the whole.
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

/** Asking for the processes takes NVML milliseconds, as long as timing a small convolution does. */
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

  /** What may change while a batch runs; costs microseconds. */
  readBatchState(): Pick<Conditions, 'smClockMhz' | 'throttleReasons'> {
    const { nvml, device } = this;
    return { smClockMhz: nvml.clockMhz(device), throttleReasons: nvml.throttleReasons(device) };
  }

  private otherProcesses(): number | null {
    const nowMs = performance.now();
    if (nowMs - this.processes.readMs > PROCESSES_AGE_MS) {
      this.processes = { count: this.nvml.computeProcesses(this.device), readMs: nowMs };
    }
    // One of them is this one; its number is another inside a container, so that it cannot be picked out.
    return this.processes.count === null ? null : Math.max(0, this.processes.count - 1);
  }
}
