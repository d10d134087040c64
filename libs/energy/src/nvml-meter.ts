import { EnergyMeter, type OpenedMeter } from '@alphaflops/executor';
import type { MeterReading } from '@alphaflops/measure';
import { Library, Nvml, type NvmlDevice } from '@alphaflops/nvidia';

/** Measured on an H100: the total energy is updated about every 100 ms. */
const UPDATE_PERIOD_MS = 100;

/**
 * NVML's counter of the total energy of one GPU, and its power as a cross-check. GPUs before Volta have no counter, and only
 * the power is used (NVML API reference, nvmlDeviceGetTotalEnergyConsumption, nvmlDeviceGetPowerUsage).
 */
export function openNvml(uuid: string, libraryPath: readonly string[]): OpenedMeter {
  if (uuid.startsWith('MIG-')) return { ok: false, reason: MIG };
  let library: Library;
  try {
    library = Library.find('libnvidia-ml.so.1', libraryPath);
  } catch (error) {
    return { ok: false, reason: `NVIDIA's library libnvidia-ml.so.1 cannot be opened: ${String(error)}` };
  }
  const nvml = new Nvml(library);
  const refused = (reason: string): OpenedMeter => {
    nvml.shutdown();
    return { ok: false, reason };
  };
  const device = nvml.deviceWithUuid(uuid);
  if (device === null) return refused(`NVML knows no GPU ${uuid}`);
  if (nvml.isMigEnabled(device) === true) return refused(MIG);
  const hasCounter = nvml.totalEnergyMillijoules(device) !== null;
  if (!hasCounter && nvml.powerNowW(device) === null) {
    return refused('this GPU reports neither its total energy nor its power');
  }
  return { ok: true, meter: new NvmlMeter(nvml, device, hasCounter) };
}

const MIG = 'the GPU is split by MIG: its meter counts all of its slices together';

class NvmlMeter extends EnergyMeter {
  readonly description;

  constructor(
    private readonly nvml: Nvml,
    private readonly device: NvmlDevice,
    private readonly hasCounter: boolean,
  ) {
    super();
    this.description = {
      available: true as const,
      name: hasCounter ? 'nvml-total-energy' : 'nvml-power',
      method: hasCounter ? ('counter' as const) : ('power' as const),
      domains: ['gpu board'],
      updatePeriodMs: UPDATE_PERIOD_MS,
      resolutionMj: hasCounter ? 1 : null,
      statedAccuracy: hasCounter ? null : '±5 % of the power, stated for Fermi and Kepler',
    };
  }

  read(): MeterReading {
    return {
      energyMillijoules: this.hasCounter ? this.nvml.totalEnergyMillijoules(this.device) : null,
      powerW: this.nvml.powerNowW(this.device),
    };
  }

  otherProcessorMs(): null {
    return null;
  }

  close(): void {
    this.nvml.shutdown();
  }
}
