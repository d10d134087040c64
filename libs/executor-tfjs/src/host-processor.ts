import type { Conditions, Provenance } from '@alphaflops/contracts';
import { describeHost } from '@alphaflops/executor';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as os from 'node:os';

/** The processor of this machine, as a device. */
export interface HostProcessor {
  readonly uuid: string;
  readonly model: string;
  readonly memoryBytes: number;
  readonly host: Provenance['host'];
}

/** The uuid stays the same over restarts. */
export async function describeProcessor(): Promise<HostProcessor> {
  const model = os.cpus()[0]?.model.replace(/\s+/g, ' ').trim() || `${os.arch()} processor`;
  return {
    uuid: await localUuid('cpu', [model]),
    model,
    memoryBytes: os.totalmem(),
    host: describeHost(),
  };
}

/** For a device without an id: a digest of the id of the machine (or its host name) and the kind of device. */
export async function localUuid(prefix: string, what: readonly string[]): Promise<string> {
  const machine = (await textOf('/etc/machine-id')) ?? os.hostname();
  const digest = createHash('sha256')
    .update([machine, ...what].join('\n'))
    .digest('hex');
  return `${prefix}-${digest.slice(0, 32)}`;
}

/** Linux reports the clock; on other systems it is null. It is the clock of the fastest core, which most likely has the work. */
export async function readProcessorConditions(): Promise<Conditions> {
  const clocks = [...((await textOf('/proc/cpuinfo')) ?? '').matchAll(/^cpu MHz\s*:\s*([\d.]+)$/gm)];
  const maxKhz = await textOf('/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq');
  return {
    smClockMhz: clocks.length === 0 ? null : Math.max(...clocks.map((match) => Number(match[1]))),
    maxSmClockMhz: maxKhz === null ? null : Number(maxKhz) / 1000,
    temperatureC: null,
    powerW: null,
    throttleReasons: [],
    otherProcesses: null,
    // Windows has no load average and reports zeros.
    hostLoad1: os.platform() === 'win32' ? null : (os.loadavg()[0] ?? null),
  };
}

export async function textOf(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim() || null;
  } catch {
    return null;
  }
}
