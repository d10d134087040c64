import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DeviceDescription } from '@alphaflops/contracts';
import type { ProbedExecutor } from '@alphaflops/executor';

/** Facts about NVIDIA's driver that need no library. */
export interface NvidiaDriver {
  readonly version: string;
  readonly gpus: readonly { readonly model: string; readonly uuid: string }[];
}

/** Null when there is no driver. */
export function nvidiaDriver(folder = '/proc/driver/nvidia'): NvidiaDriver | null {
  try {
    const version =
      /Kernel Module\s+(?:for \S+\s+)?([\d.]+)/.exec(readFileSync(join(folder, 'version'), 'utf8'))?.[1] ??
      '';
    const gpus = readdirSync(join(folder, 'gpus')).map((name) => {
      const text = readFileSync(join(folder, 'gpus', name, 'information'), 'utf8');
      const field = (label: string) =>
        new RegExp(`^${label}:\\s*(.+)$`, 'm').exec(text)?.[1]?.trim() ?? 'unknown';
      return { model: field('Model'), uuid: field('GPU UUID') };
    });
    return { version, gpus };
  } catch {
    return null;
  }
}

/**
 * The report about a joined machine: its devices, their executors, and what cannot be used and why.
 * @param addCommand command that installs cuDNN here
 */
export function machineReport(
  probed: readonly ProbedExecutor[],
  driver: NvidiaDriver | null,
  addCommand: string,
): string {
  const devices = probed.flatMap(({ result }) => (result.ok ? result.devices : []));
  const failed = probed.flatMap(({ executor, result }) =>
    result.ok ? [] : [`${executor}: ${result.reason.replaceAll('\n', ' ')}`],
  );
  const driven = new Set(devices.map(({ uuid }) => uuid));
  const idle = (driver?.gpus ?? []).filter(({ uuid }) => !driven.has(uuid));
  const sections: [string, string[]][] = [
    ['Measures', devices.map(describeDevice)],
    ['Not measured', idle.map(({ model, uuid }) => `${model} ${uuid}, driver ${driver?.version ?? ''}`)],
    ['Cannot use', failed],
  ];
  const lines = sections.flatMap(([title, rows]) =>
    rows.map((row, at) => `${(at === 0 ? title : '').padEnd(14)}${row}`),
  );
  const lacksCudnn = probed.some(
    ({ executor, result }) =>
      executor.startsWith('cudnn') && !result.ok && /libcud(nn|art)/.test(result.reason),
  );
  if (driver !== null && lacksCudnn) {
    lines.push(
      `There is an NVIDIA driver (${driver.version}), but CUDA's runtime or cuDNN is missing. To get both for this worker alone:`,
      `  ${addCommand}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function describeDevice(
  device: Omit<DeviceDescription, 'provenance'> & {
    provenance: Pick<DeviceDescription['provenance'], 'device' | 'libraries' | 'mathMode' | 'energyMeter'>;
  },
): string {
  const { sku, uuid, executor, provenance } = device;
  const facts = provenance.device as Record<string, unknown>;
  const { libraries } = provenance;
  const folder = typeof facts['cudnnPath'] === 'string' ? dirname(facts['cudnnPath']) : null;
  const parts = [
    typeof facts['driver'] === 'string' ? `driver ${facts['driver']}` : null,
    typeof facts['migEnabled'] === 'boolean' ? `MIG ${facts['migEnabled'] ? 'on' : 'off'}` : null,
    libraries['cuda'] === undefined ? null : `CUDA ${libraries['cuda']}`,
    libraries['cudnn'] === undefined
      ? null
      : `cuDNN ${libraries['cudnn']}${folder === null ? '' : ` in ${folder}`}`,
    `math ${provenance.mathMode}`,
    provenance.energyMeter?.available === true ? `energy by ${provenance.energyMeter.name}` : null,
  ];
  return `${sku} ${uuid} with ${executor}: ${parts.filter((part) => part !== null).join(', ')}`;
}
