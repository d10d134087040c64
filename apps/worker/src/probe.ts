import type { DeviceDescription, EnergyMeterDescription, Provenance } from '@alphaflops/contracts';
import { describeDevice, type ExecutorReference, probeAll, type ProbedExecutor } from '@alphaflops/executor';
import { WorkerError } from './error.js';

export interface Probed {
  /** One for each pair of physical device and executor. Never empty. */
  readonly devices: readonly DeviceDescription[];
  /** Those that work. */
  readonly executors: readonly string[];
  /** Answer of each executor. */
  readonly probed: readonly ProbedExecutor[];
}

type Ask = (references: readonly ExecutorReference[]) => Promise<ProbedExecutor[]>;

/** @throws WorkerError `no-device`, with the reason of every executor */
export async function probe(
  executors: readonly ExecutorReference[],
  worker: Provenance['worker'],
  ask: Ask = probeAll,
): Promise<Probed> {
  return described(await ask(executors), worker);
}

/**
 * Probes the executors one after the other and uses the first that works. Then probes the further ones, which are used
 * in addition.
 * @throws WorkerError `no-device`, with the reason of every executor
 */
export async function probePreferred(
  executors: readonly ExecutorReference[],
  further: readonly ExecutorReference[],
  worker: Provenance['worker'],
  ask: Ask = probeAll,
): Promise<Probed> {
  const probed: ProbedExecutor[] = [];
  for (const executor of executors) {
    probed.push(...(await ask([executor])));
    if (probed.at(-1)?.result.ok === true) break;
  }
  if (further.length > 0) probed.push(...(await ask(further)));
  return described(probed, worker);
}

function described(probed: readonly ProbedExecutor[], worker: Provenance['worker']): Probed {
  const devices = probed.flatMap(({ result }) =>
    result.ok ? result.devices.map((device) => describeDevice(device, worker)) : [],
  );
  if (devices.length === 0) {
    throw new WorkerError('no-device', `No executor works on this machine:\n${tableOf(probed)}`);
  }
  return { devices, executors: [...new Set(devices.map(({ executor }) => executor))], probed };
}

/** What `device probe` prints: every executor, whether it works, its devices with the versions of their libraries. */
export async function probeReport(
  executors: readonly ExecutorReference[],
  json: boolean,
  ask: Ask = probeAll,
): Promise<{ text: string; works: boolean }> {
  const probed = await ask(executors);
  const works = probed.some(({ result }) => result.ok && result.devices.length > 0);
  const versions = probed.flatMap(({ executor, result }) =>
    (result.ok ? result.devices : []).map(({ provenance }) => {
      const libraries = Object.entries(provenance.libraries).map(([name, version]) => `${name} ${version}`);
      return `${executor}: ${[`adapter ${provenance.executor.version}`, ...libraries].join(', ')}`;
    }),
  );
  const unmetered = probed.flatMap(({ executor, result }) =>
    (result.ok ? result.devices : []).flatMap(({ uuid, provenance: { energyMeter } }) =>
      energyMeter?.available === false ? [`${executor}: no energy of ${uuid}: ${energyMeter.reason}`] : [],
    ),
  );
  const text = json
    ? JSON.stringify(
        probed.map(({ executor, result }) => ({ executor, ...result })),
        null,
        2,
      )
    : [
        tableOf(probed),
        ...[versions, unmetered].flatMap((lines) => (lines.length > 0 ? ['', ...lines] : [])),
      ].join('\n');
  return { text, works };
}

function meterName(meter: EnergyMeterDescription | undefined): string {
  return meter?.available === true ? meter.name : '-';
}

/** Found and missing items, one line each. */
export function tableOf(probed: readonly ProbedExecutor[]): string {
  const rows = probed.flatMap(({ executor, result }) =>
    result.ok
      ? result.devices.map(({ sku, kind, uuid, provenance }) => [
          executor,
          kind,
          meterName(provenance.energyMeter),
          sku,
          uuid,
        ])
      : [[executor, '-', '-', `does not work: ${result.reason.replaceAll('\n', ' ')}`, '']],
  );
  const all = [['EXECUTOR', 'KIND', 'ENERGY BY', 'DEVICE', 'UUID'], ...rows];
  // The reason of a failure may be long: it does not widen the column.
  const widths = [0, 1, 2, 3].map((at) =>
    Math.max(...all.filter((row) => row[1] !== '-' || at < 3).map((row) => (row[at] ?? '').length)),
  );
  return all
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
