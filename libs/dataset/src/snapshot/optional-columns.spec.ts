import { createHash } from 'node:crypto';
import { type DatasetRow, DatasetRowSchema } from '@alphaflops/contracts';
import { OPTIONAL_FIELDS } from '@alphaflops/conv';
import { DatasetError } from '../dataset-error.js';
import { COLUMNS, columnsOfDataset } from './columns.js';
import { readRowsCsv } from './csv.js';
import { rowJsonSchema, writeRows } from './directory.js';
import { readRowsJsonl } from './jsonl.js';
import { readRowsParquet } from './parquet-read.js';
import { rowOfSample, sampleOfRow } from './row.js';
import type { NumberedRow } from './rows.js';
import { DatasetSummary } from './summary.js';

const BASIC: DatasetRow = {
  sample_id: 'sample-1',
  batch: 2,
  height: 14,
  width: 14,
  cin: 64,
  cout: 128,
  kernel_h: 3,
  kernel_w: 3,
  stride: 1,
  groups: 1,
  dtype: 'f32',
  padding: 'same',
  layout: 'NCHW',
  time_ms: 0.125,
  time_min_ms: 0.12,
  time_q25_ms: null,
  time_q75_ms: null,
  time_mean_ms: null,
  cv: null,
  repetitions: 9,
  inner_iterations: 10,
  warm_up_runs: 3,
  stopped_by: null,
  batch_times_ms: [1.25, 1.2],
  eager_ms: null,
  energy_mj: null,
  energy_window_ms: null,
  energy_iterations: null,
  energy_integrated_mj: null,
  energy_doubt: null,
  energy_not_measured: null,
  algorithm: 'implicit gemm',
  workspace_bytes: 0,
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
  device_class_id: 'class-a',
  device_id: null,
  worker_id: null,
  campaign_id: 'campaign-a',
  target_id: 'class-a',
  spec_index: 0,
  replicate: 0,
  attempt: 1,
  batch_index: 0,
  protocol: 'gpu',
  protocol_version: 1,
  provenance_id: null,
  started_at: '2026-11-01T00:00:00.000Z',
  recorded_at: '2026-11-01T00:00:01.000Z',
  signature: null,
};
const FULL: DatasetRow = {
  ...BASIC,
  ...{
    sample_id: 'sample-2',
    stride: 2,
    stride_h: 2,
    stride_w: 1,
    dilation_h: 2,
    dilation_w: null,
    padding: 'explicit',
  },
  ...{ pad_top: 0, pad_bottom: 1, pad_left: 2, pad_right: 2, pass: 'backward-data' },
};

function summaryOf(rows: readonly DatasetRow[]) {
  const summary = new DatasetSummary();
  for (const row of rows) summary.add(row, false);
  return summary.counted();
}

async function bytesOf(rows: readonly DatasetRow[], format: 'csv' | 'jsonl' | 'parquet'): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const given = (async function* () {
    for (const row of rows) yield await Promise.resolve(row);
  })();
  for await (const piece of writeRows(given, format, summaryOf(rows))) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function readBack(bytes: Buffer, format: 'csv' | 'jsonl' | 'parquet'): Promise<DatasetRow[]> {
  const reader: AsyncIterable<NumberedRow> =
    format === 'parquet'
      ? readRowsParquet(new Uint8Array(bytes).buffer, 'a')
      : format === 'csv'
        ? readRowsCsv(bytes.toString(), 'a')
        : readRowsJsonl(bytes.toString(), 'a');
  const rows: DatasetRow[] = [];
  for await (const { row } of reader) rows.push(row);
  return rows;
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

describe('a data set without optional fields', () => {
  // Made by the last version without optional fields.
  it('keeps the id, the files and the columns of versions without optional fields', async () => {
    const counted = summaryOf([BASIC]);
    expect(counted.id).toBe('02533016711e11f4660b08ee16ae9d45819b242a47124b232e5a26c7f7089792');
    expect('optionalColumns' in counted).toBe(false);
    expect(sha256(await bytesOf([BASIC], 'csv'))).toBe(
      '02aad2eadb5a28fbcedd0e7c96fdaa882b39b36123b81c85fc7e427219419894',
    );
    expect(sha256(await bytesOf([BASIC], 'jsonl'))).toBe(
      '49eeefce62158fe678973d4a6e32f61675e13d9e306728fddc3934a53e9c858a',
    );
    expect(sha256(await bytesOf([BASIC], 'parquet'))).toBe(
      'da0791b3d043e030b1ee76555a10375bcc82fdd0e6d2221058148610c408a6c5',
    );
    const schema = rowJsonSchema({}) as { $defs: { DatasetRow: { properties: Record<string, object> } } };
    const { properties } = schema.$defs.DatasetRow;
    expect(Object.keys(properties)).toEqual(COLUMNS.map(({ name }) => name));
    expect(properties['padding']).toMatchObject({ enum: ['same', 'valid'] });
    expect(columnsOfDataset(counted)).toEqual(COLUMNS);
  });
});

describe('a data set with optional fields', () => {
  const counted = summaryOf([BASIC, FULL]);

  it('declares them, and its id depends on them', () => {
    expect(counted.optionalColumns).toBe(true);
    expect(columnsOfDataset(counted).map(({ name }) => name)).toEqual(
      expect.arrayContaining([...OPTIONAL_FIELDS]),
    );
    const others = [{ ...FULL, pad_left: 1 }, { ...FULL, pass: 'backward-weights' as const }, BASIC];
    expect(new Set([counted, ...others.map((row) => summaryOf([BASIC, row]))].map(({ id }) => id)).size).toBe(
      4,
    );
  });

  it('is read back the same in every format', async () => {
    for (const format of ['csv', 'jsonl', 'parquet'] as const) {
      expect(await readBack(await bytesOf([BASIC, FULL], format), format)).toEqual([BASIC, FULL]);
    }
  });

  it('has rows that give the same samples again', () => {
    expect(rowOfSample(sampleOfRow(FULL))).toEqual(FULL);
    expect(sampleOfRow(FULL).specKey).toBe(
      'b2-h14-w14-i64-o128-k3x3-s2x1-d2x1-g1-f32-p0x1x2x2-NCHW-backward-data',
    );
    expect(rowOfSample(sampleOfRow(BASIC))).toEqual(BASIC);
  });

  it('refuses a second spelling of the same convolution', async () => {
    const twice = { ...FULL, stride_h: 2, stride_w: 2 };
    expect(
      DatasetRowSchema.safeParse(twice).error?.issues.map(({ path, message }) => `${path.join()} ${message}`),
    ).toEqual([
      'stride_h must be null, as the other columns of the convolution are',
      'stride_w must be null, as the other columns of the convolution are',
    ]);
    const bytes = Buffer.from(`${JSON.stringify(twice)}\n`);
    await expect(readBack(bytes, 'jsonl')).rejects.toThrow(DatasetError);
  });
});
