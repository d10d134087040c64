import {
  type Dataset,
  type DatasetRow,
  DatasetRowSchema,
  CONDITION_FIELDS,
  ENERGY_FIELDS,
  KERNEL_FIELDS,
  type Provenance,
} from '@alphaflops/contracts';
import { ALL_COLUMNS } from './columns.js';
import { dataCard } from './card.js';
import { readRowsCsv, writeRowsCsv } from './csv.js';
import { DatasetDigest } from './digest.js';
import { fitRowOf } from './fit-inputs.js';
import { readRowsJsonl } from './jsonl.js';
import { rowOfSample, sampleOfRow } from './row.js';
import type { NumberedRow } from './rows.js';
import { DatasetSummary } from './summary.js';

/** A row as version 0.1.0 stored it. */
const OLD_ROW = {
  sample_id: 'a',
  batch: 1,
  height: 5,
  width: 5,
  cin: 1,
  cout: 1,
  kernel_h: 3,
  kernel_w: 3,
  stride: 1,
  groups: 1,
  dtype: 'f32',
  padding: 'same',
  layout: 'NCHW',
  time_ms: 0.5,
  time_min_ms: null,
  time_q25_ms: null,
  time_q75_ms: null,
  time_mean_ms: null,
  cv: null,
  repetitions: null,
  inner_iterations: null,
  warm_up_runs: null,
  stopped_by: null,
  batch_times_ms: [],
  eager_ms: null,
  energy_mj: null,
  energy_window_ms: null,
  energy_iterations: null,
  energy_integrated_mj: null,
  energy_doubt: null,
  energy_not_measured: null,
  algorithm: null,
  workspace_bytes: null,
  sm_clock_mhz: null,
  max_sm_clock_mhz: null,
  temperature_c: null,
  power_w: null,
  throttle_reasons: null,
  other_processes: null,
  host_load1: null,
  before_sm_clock_mhz: null,
  before_max_sm_clock_mhz: null,
  before_temperature_c: null,
  before_power_w: null,
  before_throttle_reasons: null,
  before_other_processes: null,
  before_host_load1: null,
  device_class_id: 'c',
  device_id: null,
  worker_id: null,
  campaign_id: 'x',
  target_id: 'c',
  spec_index: 0,
  replicate: 0,
  attempt: 1,
  batch_index: 0,
  protocol: 'gpu',
  protocol_version: 1,
  provenance_id: null,
  started_at: '2026-03-01T00:00:00.000Z',
  recorded_at: '2026-03-01T00:00:00.000Z',
  signature: null,
} satisfies DatasetRow;
/** Its data set, as version 0.1.0 named it. */
const OLD_ID = '58d9220526d269eb8c61b8c370c8601ead01e91a16c3648c04a5f51e45f2c7bf';

const ABOUT: Omit<Dataset, keyof ReturnType<DatasetSummary['counted']>> = {
  schema: 'alphaflops.dataset/1',
  licence: 'cc-by-4.0',
  ...{ name: 'samples', title: 'Times', description: '' },
  ...{ creators: [], version: 1, createdAt: OLD_ROW.recorded_at, codeVersion: '0.1.0', filter: {} },
  ...{ leftOut: {}, deviceClasses: [], workers: [], fitInputs: [] },
};
const PROVENANCE: Provenance = {
  schema: 'alphaflops.provenance/1',
  device: {},
  executor: { name: 'tfjs-wasm', version: '4' },
  libraries: {},
  mathMode: 'f32',
  energyMeter: {
    ...{ available: true, name: 'powercap-package', method: 'counter', domains: ['package-0'] },
    ...{ updatePeriodMs: 1, resolutionMj: 0.061, statedAccuracy: null },
  },
  worker: { version: '0.1.0', commit: null, dirty: null },
  host: { hostname: 'h', cpu: 'c', os: 'o', kernel: 'k', node: 'v24' },
};

function idOf(row: DatasetRow): string {
  const digest = new DatasetDigest();
  digest.add(row);
  return digest.id();
}

async function read(rows: AsyncIterable<NumberedRow>): Promise<DatasetRow[]> {
  const all: DatasetRow[] = [];
  for await (const { row } of rows) all.push(row);
  return all;
}

describe('a data set that is older than the columns of the kernel and of the energy meter', () => {
  it('keeps its id', () => {
    expect(idOf(DatasetRowSchema.parse(OLD_ROW))).toBe(OLD_ID);
  });

  it('is read from its files, and written without changes', async () => {
    expect(await read(readRowsJsonl(`${JSON.stringify(OLD_ROW)}\n`, 'a.jsonl'))).toEqual([OLD_ROW]);
    const csv = await text(writeRowsCsv([OLD_ROW]));
    expect(
      csv
        .split('\n')[0]
        ?.split(',')
        .filter((name) => [...KERNEL_FIELDS, ...ENERGY_FIELDS].some((one) => one === name)),
    ).toEqual([]);
    expect(await read(readRowsCsv(csv, 'a.csv'))).toEqual([OLD_ROW]);
  });
});

it('a row with a kernel is read back from a file with all columns', async () => {
  const values = { kernel: 'eng0', kernel_notes: ['winograd'], plan_build_ms: 1, power_limited: false };
  const clocks = { batch_clock_mhz: 2, batch_clock_min_mhz: 1, batch_clock_max_mhz: 3 };
  const row = DatasetRowSchema.parse({ ...OLD_ROW, ...values, ...clocks });
  const csv = await text(writeRowsCsv([row], ALL_COLUMNS));
  expect(await read(readRowsCsv(csv, 'a.csv'))).toEqual([row]);
});

it('a row with a disturbance is read back from its file, and gives the same sample', async () => {
  const state = { throttle_reasons: [], before_throttle_reasons: [] };
  const row = DatasetRowSchema.parse({ ...OLD_ROW, ...state, disturbance: 0.02 });
  expect(await read(readRowsCsv(await text(writeRowsCsv([row], ALL_COLUMNS)), 'a.csv'))).toEqual([row]);
  expect(await read(readRowsJsonl(`${JSON.stringify(row)}\n`, 'a.jsonl'))).toEqual([row]);
  expect(rowOfSample(sampleOfRow(row))).toEqual(row);
  expect(sampleOfRow(row).conditions?.after.disturbance).toBe(0.02);
});

it('a value in one of these columns changes the id, each in its own way', () => {
  const values: Partial<DatasetRow> = {
    ...{ kernel: 'eng0', kernel_notes: [], plan_build_ms: 1, power_limited: false },
    ...{ energy_meter: 'powercap-package', energy_idle_w: 1, energy_above_idle_mj: 1 },
    ...{ batch_clock_mhz: 1, batch_clock_min_mhz: 1, batch_clock_max_mhz: 1, disturbance: 0.1 },
  };
  const columns = [...KERNEL_FIELDS, ...ENERGY_FIELDS, ...CONDITION_FIELDS];
  const ids = columns.map((name) => idOf({ ...OLD_ROW, [name]: values[name] }));
  expect(new Set([OLD_ID, ...ids]).size).toBe(columns.length + 1);
});

describe('a row with an energy by a meter', () => {
  const row = DatasetRowSchema.parse({
    ...OLD_ROW,
    ...{ energy_mj: 3, energy_window_ms: 2000, energy_iterations: 1000 },
    ...{ energy_meter: 'powercap-package', energy_idle_w: 20, energy_above_idle_mj: -0.5 },
  });

  it('is read back from its file, gives the same sample, and gives the meter to a fit', async () => {
    const csv = await text(writeRowsCsv([row], ALL_COLUMNS));
    expect(await read(readRowsCsv(csv, 'a.csv'))).toEqual([row]);
    expect(rowOfSample(sampleOfRow(row))).toEqual(row);
    expect(fitRowOf(row)).toMatchObject({ energyMillijoules: 3, energyMeter: 'powercap-package' });
  });

  it('comes from NVML if it is older than the names of meters', () => {
    const before = { ...row, energy_meter: null, energy_idle_w: null, energy_above_idle_mj: null };
    expect(fitRowOf(before).energyMeter).toBe('nvml-total-energy');
    expect(fitRowOf(OLD_ROW).energyMeter).toBeUndefined();
  });

  it('has no idle power if it has no energy', () => {
    const broken = { ...OLD_ROW, energy_idle_w: 20 };
    expect(DatasetRowSchema.safeParse(broken).error?.issues[0]?.path).toEqual(['energy_idle_w']);
  });

  it('adds its meter to the data card', () => {
    const summary = new DatasetSummary();
    summary.add(row, false);
    const card = dataCard({ ...ABOUT, ...summary.counted() }, 'csv', {
      provenance: [PROVENANCE],
      models: [],
    });
    const cells = 'powercap-package | hardware counter | package-0 | every 1 ms | 0.061 mJ | not stated';
    expect(card).toContain(`| ${cells} |`);
    expect(card).toContain('| `energy_meter` |');
  });
});

async function text(pieces: AsyncIterable<string>): Promise<string> {
  let all = '';
  for await (const piece of pieces) all += piece;
  return all;
}
