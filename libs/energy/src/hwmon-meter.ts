import { join } from 'node:path';
import type { Result } from '@alphaflops/contracts';
import { EnergyMeter, type MeteredDevice, type OpenedMeter } from '@alphaflops/executor';
import type { MeterReading } from '@alphaflops/measure';
import { isDenied, kernelEntries, kernelNumber, kernelText } from './kernel-files.js';

/** PCI ids of vendors, by their WebGPU names. */
const PCI_VENDORS: Readonly<Record<string, string>> = { amd: '0x1002', intel: '0x8086' };

/** Files of a driver, the best first: a counter in µJ, or else the power in µW (https://docs.kernel.org/hwmon/sysfs-interface.html). */
const ENERGY = /^energy\d+_input$/;
const POWER = [/^power\d+_average$/, /^power\d+_input$/];

/**
 * Meter for the sensors of a GPU in Linux' hwmon, with the drivers amdgpu, i915 or xe.
 * @param root folder of the kernel's files: `/`, except in tests
 */
export function openHwmon(device: MeteredDevice, root: string): OpenedMeter {
  const gpu = folderOf(device, root);
  if (!gpu.ok) return gpu;
  const hwmon = join(gpu.folder, 'hwmon');
  const folder = kernelEntries(hwmon).map((entry) => join(hwmon, entry))[0];
  if (folder === undefined) return { ok: false, reason: `the driver of this GPU has no sensors in ${hwmon}` };
  const driver = kernelText(join(folder, 'name')) ?? 'unknown';
  const files = kernelEntries(folder);
  const path = (pattern: RegExp): string | null => {
    const name = files.find((entry) => pattern.test(entry));
    return name === undefined ? null : join(folder, name);
  };
  const meter = new HwmonMeter(driver, path(ENERGY), POWER.map(path).find((file) => file !== null) ?? null);
  try {
    const { energyMillijoules, powerW } = meter.read();
    if (energyMillijoules === null && powerW === null) {
      return {
        ok: false,
        reason: `the driver ${driver} of this GPU shows neither energy nor power in ${folder}`,
      };
    }
  } catch (error) {
    if (!isDenied(error)) throw error;
    return { ok: false, reason: `this user may not read the sensors of the GPU: sudo chmod a+r ${folder}/*` };
  }
  return { ok: true, meter };
}

class HwmonMeter extends EnergyMeter {
  readonly description;

  constructor(
    driver: string,
    private readonly energyFile: string | null,
    private readonly powerFile: string | null,
  ) {
    super();
    const method = energyFile === null ? ('power' as const) : ('counter' as const);
    this.description = {
      available: true as const,
      name: `hwmon-${driver}-${method}`,
      method,
      domains: ['gpu'],
      updatePeriodMs: null,
      resolutionMj: energyFile === null ? null : 0.001,
      statedAccuracy: null,
    };
  }

  read(): MeterReading {
    const energyUj = this.energyFile === null ? null : kernelNumber(this.energyFile);
    const powerUw = this.powerFile === null ? null : kernelNumber(this.powerFile);
    return {
      energyMillijoules: energyUj === null ? null : energyUj / 1e3,
      powerW: powerUw === null ? null : powerUw / 1e6,
    };
  }

  otherProcessorMs(): null {
    return null;
  }

  close(): void {
    // No resource is open.
  }
}

type Found = Result<{ folder: string }>;

/** The GPU's folder: by its PCI address, or else the only GPU of its vendor. */
function folderOf({ pciBusId, vendor }: MeteredDevice, root: string): Found {
  if (pciBusId !== null) {
    return { ok: true, folder: join(root, 'sys/bus/pci/devices', pciBusId.toLowerCase()) };
  }
  const id = PCI_VENDORS[vendor ?? ''];
  if (id === undefined) {
    return {
      ok: false,
      reason: 'the executor names neither the PCI address of this GPU nor a vendor with known sensors',
    };
  }
  const drm = join(root, 'sys/class/drm');
  const cards = kernelEntries(drm)
    .filter((entry) => /^card\d+$/.test(entry))
    .map((entry) => join(drm, entry, 'device'))
    .filter((folder) => kernelText(join(folder, 'vendor')) === id);
  const [only, ...others] = cards;
  if (only === undefined)
    return { ok: false, reason: `no GPU of ${vendor ?? ''} shows its sensors in ${drm}` };
  if (others.length > 0) {
    const reason = `there are ${cards.length} GPUs of ${vendor ?? ''}, and the executor does not say which of them it uses`;
    return { ok: false, reason };
  }
  return { ok: true, folder: only };
}
