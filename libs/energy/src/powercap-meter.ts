import { join } from 'node:path';
import { EnergyMeter, type OpenedMeter } from '@alphaflops/executor';
import type { MeterReading } from '@alphaflops/measure';
import { isDenied, kernelEntries, kernelNumber, kernelText } from './kernel-files.js';
import { otherProcessorMs } from './processor-use.js';

const FOLDER = 'sys/class/powercap';

/**
 * RAPL updates its counters about every millisecond (Intel SDM, volume 3B, "RAPL interfaces"; AMD PPR, the same MSRs).
 * By default one step is 2^-14 J on Intel's processors and 2^-16 J on AMD's.
 */
const UPDATE_PERIOD_MS = 1;
const STEP_MILLIJOULES: Readonly<Record<string, number>> = {
  GenuineIntel: 1000 / 2 ** 14,
  AuthenticAMD: 1000 / 2 ** 16,
};

/** One counter of the processor, in µJ, which starts again at 0 after `rangeUj`. */
interface Zone {
  readonly name: string;
  readonly file: string;
  readonly rangeUj: number | null;
}

/**
 * RAPL counters of the host's processors through Linux' powercap: all packages, and their memory if it is counted
 * (https://docs.kernel.org/power/powercap/powercap.html).
 * @param root folder of the kernel's files: `/`, except in tests
 * @param pid the process whose work is measured, with its descendants
 */
export function openPowercap(root: string, pid: number): OpenedMeter {
  const zones = zonesOf(root);
  if (zones.length === 0) return { ok: false, reason: noCounters(root) };
  try {
    for (const { file } of zones) {
      if (kernelNumber(file) === null) return { ok: false, reason: `${file} holds no energy` };
    }
  } catch (error) {
    if (!isDenied(error)) throw error;
    return {
      ok: false,
      reason:
        'the RAPL counters of the processor are readable by root only (since CVE-2020-8694); to grant it until the next ' +
        `start of the machine: sudo find -L ${join(root, FOLDER)} -maxdepth 2 -name energy_uj -exec chmod a+r {} +`,
    };
  }
  if (otherProcessorMs(root, pid) === null) {
    return {
      ok: false,
      reason: `${join(root, 'proc')} does not show what the other programs of this machine use`,
    };
  }
  return { ok: true, meter: new PowercapMeter(zones, root, pid) };
}

class PowercapMeter extends EnergyMeter {
  readonly description;
  private readonly lastUj: number[];
  private totalUj = 0;

  constructor(
    private readonly zones: readonly Zone[],
    private readonly root: string,
    private readonly pid: number,
  ) {
    super();
    const domains = zones.map(({ name }) => name);
    this.description = {
      available: true as const,
      name: `powercap-${domains.some((name) => name.includes('dram')) ? 'package-dram' : 'package'}`,
      method: 'counter' as const,
      domains,
      updatePeriodMs: UPDATE_PERIOD_MS,
      resolutionMj: STEP_MILLIJOULES[vendorOf(root)] ?? null,
      statedAccuracy: null,
    };
    this.lastUj = zones.map(energyUj);
  }

  /** The sum over all zones. When a counter starts again at 0, the sum continues without a jump. */
  read(): MeterReading {
    this.zones.forEach((zone, at) => {
      const nowUj = energyUj(zone);
      const stepUj = nowUj - (this.lastUj[at] ?? nowUj);
      this.totalUj += stepUj >= 0 ? stepUj : stepUj + (zone.rangeUj ?? 0);
      this.lastUj[at] = nowUj;
    });
    return { energyMillijoules: this.totalUj / 1000, powerW: null };
  }

  otherProcessorMs(): number {
    const otherMs = otherProcessorMs(this.root, this.pid);
    if (otherMs === null) throw new Error('/proc no longer shows what the other programs use');
    return otherMs;
  }

  close(): void {
    // No resource is open.
  }
}

function energyUj({ file }: Zone): number {
  const uj = kernelNumber(file);
  if (uj === null) throw new Error(`${file} holds no energy any more`);
  return uj;
}

/** Packages are `intel-rapl:N`, their parts `intel-rapl:N:M`. `psys` counts the packages again, and so does intel-rapl-mmio. */
function zonesOf(root: string): Zone[] {
  const folder = join(root, FOLDER);
  return kernelEntries(folder).flatMap((entry) => {
    const [, package_, part] = /^intel-rapl:(\d+)(?::(\d+))?$/.exec(entry) ?? [];
    const name = kernelText(join(folder, entry, 'name')) ?? '';
    const isCounted = part === undefined ? name.startsWith('package') : name === 'dram';
    if (package_ === undefined || !isCounted) return [];
    const rangeUj = kernelNumber(join(folder, entry, 'max_energy_range_uj'));
    return [
      {
        name: part === undefined ? name : `${name}-${package_}`,
        file: join(folder, entry, 'energy_uj'),
        rangeUj,
      },
    ];
  });
}

function vendorOf(root: string): string {
  return /^vendor_id\s*:\s*(\S+)/m.exec(kernelText(join(root, 'proc/cpuinfo')) ?? '')?.[1] ?? '';
}

function noCounters(root: string): string {
  const isVirtual = /^flags\s*:.*\bhypervisor\b/m.test(kernelText(join(root, 'proc/cpuinfo')) ?? '');
  return isVirtual
    ? 'this is a virtual machine: the energy counters of the processor (RAPL) are not passed on to it'
    : `the processor or the kernel has no RAPL counters of its packages (${join(root, FOLDER)}/intel-rapl:*)`;
}
