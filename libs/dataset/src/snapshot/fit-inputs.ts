import type { DatasetRow, FitInput, Model } from '@alphaflops/contracts';
import { fitInputDigest } from '../digest.js';
import { specOfRow } from './row.js';
import { protocolKey } from './summary.js';

/** The search does not include larger fits, because it would have to keep their input in memory. */
const MAX_FIT_ROWS = 250_000;

/** The values of a row that a fit uses. */
export interface FitRow {
  readonly spec: ReturnType<typeof specOfRow>;
  readonly timeMs: number;
  readonly energyMillijoules: number | null;
  /** Absent if unknown. */
  readonly energyMeter?: string;
  readonly kernel: string | null;
}

/** The meter of all energies that were stored before meters had names. */
const UNNAMED_METER = 'nvml-total-energy';

export function fitRowOf(row: DatasetRow): FitRow {
  const { time_ms: timeMs, energy_mj: energyMillijoules, energy_window_ms: windowMs, kernel = null } = row;
  const energyMeter = row.energy_meter ?? (windowMs === null ? null : UNNAMED_METER);
  return {
    spec: specOfRow(row),
    timeMs,
    energyMillijoules,
    ...(energyMeter !== null && { energyMeter }),
    kernel,
  };
}

/** The models whose input is searched. */
export type FittedModel = Pick<Model, 'id' | 'deviceClassId'> & {
  readonly data: Pick<Model['data'], 'digest' | 'samples'>;
};

interface Held {
  readonly deviceClassId: string;
  readonly protocol: string;
  readonly protocolVersion: number;
  readonly rows: FitRow[];
}

/**
 * Finds out which models were fitted to the first rows of a device class and protocol. A fit uses all good samples in
 * the store, in the order of the rows. So its input is such a first part, unless samples were set aside since then.
 */
export class FitInputFinder {
  private readonly held = new Map<string, Held>();
  private readonly most = new Map<string, number>();

  constructor(private readonly models: readonly FittedModel[]) {
    for (const { deviceClassId, data } of models) {
      if (deviceClassId === null || data.samples > MAX_FIT_ROWS) continue;
      this.most.set(deviceClassId, Math.max(this.most.get(deviceClassId) ?? 0, data.samples));
    }
  }

  add(row: DatasetRow): void {
    const most = this.most.get(row.device_class_id) ?? 0;
    const key = `${row.device_class_id} ${protocolKey(row)}`;
    const held = this.held.get(key) ?? {
      deviceClassId: row.device_class_id,
      protocol: row.protocol,
      protocolVersion: row.protocol_version,
      rows: [],
    };
    if (held.rows.length >= most) return;
    held.rows.push(fitRowOf(row));
    this.held.set(key, held);
  }

  found(): FitInput[] {
    return this.models.flatMap((model) => this.inputOf(model)?.input ?? []);
  }

  /** The rows to which a model was fitted, in the order of the fit; null if they are missing. */
  inputOf({ id, deviceClassId, data }: FittedModel): { input: FitInput; rows: FitRow[] } | null {
    if (id === null || deviceClassId === null || data.samples === 0) return null;
    for (const held of this.held.values()) {
      if (held.deviceClassId !== deviceClassId || held.rows.length < data.samples) continue;
      const rows = held.rows.slice(0, data.samples);
      if (fitInputDigest(rows) !== data.digest) continue;
      const { protocol, protocolVersion } = held;
      return {
        input: {
          ...{ modelId: id, dataDigest: data.digest, deviceClassId, protocol, protocolVersion },
          rows: data.samples,
        },
        rows,
      };
    }
    return null;
  }
}
