import { z } from 'zod';
import { ConvSpecSchema, MAX_AXIS } from './conv-spec.js';
import { IdSchema, TimestampSchema } from './ids.js';
import { KernelNameSchema } from './kernel.js';
import { plausibleMs } from './plausible-time.js';

/** `int` fits 32 bits, `long` 53; `texts` and `numbers` are lists. */
export type ColumnKind = 'int' | 'long' | 'number' | 'boolean' | 'text' | 'numbers' | 'texts';

/**
 * Groups of optional columns. A data set has such a group only if some row has a value in one of its columns: fields that most
 * convolutions do not need, and fields that samples of earlier versions do not have.
 */
export type ColumnGroup = 'optional' | 'energy' | 'kernel' | 'condition';

/** One column of a row: its type, its unit, and its schema with a description. */
export interface SampleColumn {
  readonly kind: ColumnKind;
  readonly unit: string | null;
  readonly schema: z.ZodType;
  readonly group: ColumnGroup | null;
}

const MAX_INT32 = 2_147_483_647;
const MAX_TEXT = 2000;

const axis = z.int().min(1).max(MAX_AXIS);
const pad = z.int().min(0).max(MAX_AXIS).nullish();
const count = z.int().min(0).max(MAX_INT32);
const positive = z.number().gt(0);
const ms = plausibleMs.nullable();
const clock = positive.nullish();
const text = z.string().max(MAX_TEXT).nullable();
const { dtype, padding, layout, pass } = ConvSpecSchema.shape;

const columnOf =
  <Group extends ColumnGroup | null>(group: Group) =>
  <Schema extends z.ZodType>(kind: ColumnKind, schema: Schema, unit: string | null = null) => ({
    ...{ kind, unit, schema, group },
  });

/** A column that every data set has. */
const column = columnOf(null);
const optional = columnOf('optional');
const meter = columnOf('energy');
const kernel = columnOf('kernel');

/** State of the device, after or before the measurement. */
const conditions = (when: string) => ({
  smClockMhz: column('number', z.number().nullable().describe(`SM clock ${when} in MHz`), 'MHz'),
  maxSmClockMhz: column(
    'number',
    z.number().nullable().describe(`highest SM clock that the device allows, read ${when}`),
    'MHz',
  ),
  temperatureC: column(
    'number',
    z.number().nullable().describe(`temperature ${when} in degrees Celsius`),
    '°C',
  ),
  powerW: column('number', z.number().nullable().describe(`power draw ${when} in watts`), 'W'),
  throttleReasons: column(
    'texts',
    z
      .array(z.string().max(80))
      .max(20)
      .nullable()
      .describe(`why the clock was held down ${when}; null: the state of the device is not known`),
  ),
  otherProcesses: column('int', count.nullable().describe(`other processes computing on the device ${when}`)),
  hostLoad1: column(
    'number',
    z.number().min(0).nullable().describe(`one-minute load average of the host ${when}`),
  ),
});
const after = conditions('after the measurement');
const before = conditions('before the measurement');

/**
 * Every column of a row, in the order of the files. CSV, JSON Lines, Parquet, the reader of rows, the schema of the API and
 * the documentation follow from this table. `rowOfSample` of @alphaflops/dataset takes the values from a sample, and
 * `sampleOfRow` puts them back; TypeScript refuses a row that lacks a column.
 */
export const SAMPLE_COLUMNS = {
  sample_id: column('text', IdSchema.describe('names the sample')),
  batch: column('int', axis.describe('images')),
  height: column('int', axis.describe('height of the input in elements')),
  width: column('int', axis.describe('width of the input in elements')),
  cin: column('int', axis.describe('input channels')),
  cout: column('int', axis.describe('output channels')),
  kernel_h: column('int', axis.describe('height of the kernel')),
  kernel_w: column('int', axis.describe('width of the kernel')),
  stride: column('int', axis.describe('on both axes')),
  groups: column('int', axis.describe('groups of channels; equal to cin: depthwise')),
  dtype: column('text', dtype.unwrap().describe('type of the elements')),
  padding: column('text', padding.unwrap().describe('same: half the kernel on each side; valid: none')),
  layout: column('text', layout.unwrap().describe('order of the axes in memory')),
  stride_h: optional('int', axis.nullish().describe('along the height, where the strides differ')),
  stride_w: optional('int', axis.nullish().describe('along the width, where the strides differ')),
  dilation_h: optional('int', axis.nullish().describe('distance of neighbouring kernel points; null: 1')),
  dilation_w: optional('int', axis.nullish().describe('distance of neighbouring kernel points; null: 1')),
  pad_top: optional('int', pad.describe('rows of zeros above the input, where padding is explicit')),
  pad_bottom: optional('int', pad.describe('rows of zeros below the input')),
  pad_left: optional('int', pad.describe('columns of zeros before the input')),
  pad_right: optional('int', pad.describe('columns of zeros after the input')),
  pass: optional('text', pass.unwrap().nullish().describe('the computed pass; null: forward')),
  time_ms: column('number', plausibleMs.describe('median of the timed batches in milliseconds'), 'ms'),
  time_min_ms: column('number', ms.describe('least of the timed batches'), 'ms'),
  time_q25_ms: column('number', ms.describe('lower quartile of the timed batches'), 'ms'),
  time_q75_ms: column('number', ms.describe('upper quartile of the timed batches'), 'ms'),
  time_mean_ms: column('number', ms.describe('mean of the timed batches'), 'ms'),
  cv: column(
    'number',
    z.number().min(0).nullable().describe('standard deviation over mean of the timed batches'),
  ),
  repetitions: column('int', count.nullable().describe('timed batches')),
  inner_iterations: column('long', z.int().min(1).nullable().describe('convolutions in one timed batch')),
  warm_up_runs: column('int', count.nullable().describe('untimed runs before the timed ones')),
  stopped_by: column(
    'text',
    z.enum(['relative-standard-error', 'total-time']).nullable().describe('which rule ended the timing'),
  ),
  batch_times_ms: column(
    'numbers',
    z.array(plausibleMs).max(10_000).describe('every timed batch, in order'),
    'ms',
  ),
  eager_ms: column(
    'number',
    ms.describe('time with a separate launch for each convolution, including the launch'),
    'ms',
  ),
  energy_mj: column(
    'number',
    positive.nullable().describe('energy of one convolution in millijoules, idle power included'),
    'mJ',
  ),
  energy_window_ms: column(
    'number',
    ms.describe('of back-to-back running in which the energy was counted'),
    'ms',
  ),
  energy_iterations: column('long', z.int().min(1).nullable().describe('convolutions in that window')),
  energy_integrated_mj: column(
    'number',
    positive.nullable().describe('the energy by integrating power readings'),
    'mJ',
  ),
  energy_doubt: column('text', text.describe('why the energy may be wrong')),
  energy_not_measured: column('text', text.describe('why the requested energy could not be measured')),
  energy_meter: meter(
    'text',
    z
      .string()
      .min(1)
      .max(80)
      .nullish()
      .describe('meter that counted the energy; energies of two meters are not comparable'),
  ),
  energy_idle_w: meter(
    'number',
    z.number().min(0).nullish().describe('power of the idle device in watts'),
    'W',
  ),
  energy_above_idle_mj: meter(
    'number',
    z
      .number()
      .nullish()
      .describe('energy of one convolution in millijoules minus idle power times its duration'),
    'mJ',
  ),
  algorithm: column('text', text.describe('algorithm or kernel chosen by the library')),
  workspace_bytes: column(
    'number',
    z.number().min(0).nullable().describe('memory that the algorithm took beside its tensors'),
    'B',
  ),
  kernel: kernel(
    'text',
    KernelNameSchema.nullish().describe('kernel that ran: engine and knobs as cudnn-frontend writes them'),
  ),
  kernel_notes: kernel(
    'texts',
    z
      .array(z.string().max(80))
      .max(20)
      .nullish()
      .describe('numerical properties of the kernel, such as tensor-core'),
  ),
  plan_build_ms: kernel(
    'number',
    z
      .number()
      .min(0)
      .nullish()
      .describe('time that the library took to choose and to prepare the kernel, in milliseconds'),
    'ms',
  ),
  power_limited: kernel(
    'boolean',
    z.boolean().nullish().describe('true: the power limit held the clock down while it was timed'),
  ),
  batch_clock_mhz: kernel('number', clock.describe('median SM clock of the timed batches in MHz'), 'MHz'),
  batch_clock_min_mhz: kernel('number', clock.describe('lowest SM clock of the timed batches in MHz'), 'MHz'),
  batch_clock_max_mhz: kernel(
    'number',
    clock.describe('highest SM clock of the timed batches in MHz'),
    'MHz',
  ),
  sm_clock_mhz: after.smClockMhz,
  max_sm_clock_mhz: after.maxSmClockMhz,
  temperature_c: after.temperatureC,
  power_w: after.powerW,
  throttle_reasons: after.throttleReasons,
  other_processes: after.otherProcesses,
  host_load1: after.hostLoad1,
  disturbance: columnOf('condition')(
    'number',
    z
      .number()
      .min(0)
      .nullish()
      .describe(
        'largest share by which a reference convolution around the timed batches was slower than undisturbed on this device; null: disturbance was not watched, or the share is unknown',
      ),
  ),
  before_sm_clock_mhz: before.smClockMhz,
  before_max_sm_clock_mhz: before.maxSmClockMhz,
  before_temperature_c: before.temperatureC,
  before_power_w: before.powerW,
  before_throttle_reasons: before.throttleReasons,
  before_other_processes: before.otherProcesses,
  before_host_load1: before.hostLoad1,
  device_class_id: column(
    'text',
    IdSchema.describe('SKU, executor, library versions and math mode: dataset.json has them'),
  ),
  device_id: column('text', IdSchema.nullable().describe('the physical device')),
  worker_id: column('text', IdSchema.nullable().describe('the worker that measured it')),
  campaign_id: column('text', IdSchema.describe('the campaign, or the import, that it belongs to')),
  target_id: column('text', IdSchema.describe('device class or device that the campaign requested')),
  spec_index: column('int', count.describe('place in the plan of the campaign')),
  replicate: column('int', count.describe('which repetition of the plan')),
  attempt: column('int', z.int().min(1).max(MAX_INT32).describe('at the batch, counted from 1')),
  batch_index: column('int', count.describe('batch of the campaign that it was measured in')),
  protocol: column('text', z.string().min(1).max(120).describe('how it was timed')),
  protocol_version: column('int', count.describe('of the protocol')),
  provenance_id: column(
    'text',
    z
      .string()
      .max(64)
      .nullable()
      .describe('SHA-256 of the record of device, libraries, worker and host in provenance.jsonl'),
  ),
  started_at: column('text', TimestampSchema.describe('by the clock of the worker')),
  recorded_at: column(
    'text',
    TimestampSchema.describe('by the clock of the coordinator; with sample_id the order of rows'),
  ),
  signature: column(
    'text',
    z
      .string()
      .max(100)
      .nullable()
      .describe('Ed25519 of the worker, base64url; no part of the content that the id of the data set names'),
  ),
} satisfies Record<string, SampleColumn>;

type Columns = typeof SAMPLE_COLUMNS;
export type ColumnName = keyof Columns;
export type ColumnOfGroup<Group extends ColumnGroup> = {
  [Name in ColumnName]: Columns[Name]['group'] extends Group ? Name : never;
}[ColumnName];

/** All columns by name, in the order of the files. */
export const COLUMN_NAMES = Object.keys(SAMPLE_COLUMNS) as ColumnName[];

/** The columns of a group, in the order of the files. */
export function columnsOfGroup<Group extends ColumnGroup>(group: Group): ColumnOfGroup<Group>[] {
  return COLUMN_NAMES.filter((name): name is ColumnOfGroup<Group> => SAMPLE_COLUMNS[name].group === group);
}

/** The schema of each column, for an object schema of all. */
export const COLUMN_SCHEMAS = Object.fromEntries(
  COLUMN_NAMES.map((name) => [name, SAMPLE_COLUMNS[name].schema]),
) as { [Name in ColumnName]: Columns[Name]['schema'] };
