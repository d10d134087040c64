import { errorText } from '@alphaflops/contracts';
import type { EnergyMeterSettings, MeteredDevice, OpenedMeter } from '@alphaflops/executor';
import { openHwmon } from './hwmon-meter.js';
import { openNvml } from './nvml-meter.js';
import { openPowercap } from './powercap-meter.js';

/** Device ids of NVIDIA's driver. */
const NVIDIA_UUID = /^(GPU|MIG)-/;

/**
 * The meter that counts the energy of a device: NVML for NVIDIA's GPUs, hwmon for others, powercap (RAPL) for host
 * processors. The choice depends only on the device, not on the executor. Does not throw.
 */
export function openEnergyMeter(device: MeteredDevice, settings: EnergyMeterSettings): OpenedMeter {
  const { libraryPath = [], root = '/' } = settings;
  try {
    if (device.kind === 'cpu') return openPowercap(root, process.pid);
    if (NVIDIA_UUID.test(device.uuid)) return openNvml(device.uuid, libraryPath);
    return openHwmon(device, root);
  } catch (error) {
    return { ok: false, reason: errorText(error) };
  }
}
