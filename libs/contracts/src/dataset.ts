import { OPTIONAL_FIELDS } from '@alphaflops/conv';
import { z } from 'zod';
import { ConvSpecSchema, MAX_AXIS } from './conv-spec.js';
import { DeviceClassSchema, PublicKeySchema } from './device.js';
import { GivenTimeSchema, IdSchema, LineSchema, TimestampSchema } from './ids.js';
import { KernelMapSchema } from './kernel-map.js';
import { KernelNameSchema } from './kernel.js';
import { ProvenanceSchema } from './measurement.js';
import { implausibleTime, plausibleMs } from './plausible-time.js';

const MAX_INT32 = 2_147_483_647;
const MAX_TEXT = 2000;

const axis = z.int().min(1).max(MAX_AXIS);
const count = z.int().min(0).max(MAX_INT32);
const positive = z.number().gt(0);
const ms = plausibleMs.nullable();
const clock = positive.nullish();
const text = z.string().max(MAX_TEXT).nullable();
const { dtype, padding, layout, pass } = ConvSpecSchema.shape;
const SPEC_FIELDS = Object.keys(ConvSpecSchema.shape) as (keyof typeof ConvSpecSchema.shape)[];
const pad = z.int().min(0).max(MAX_AXIS).nullish();

/** Columns of what is known of the kernel and the clock while it ran. Data sets from before they existed lack them. */
export const KERNEL_FIELDS = [
  'kernel',
  'kernel_notes',
  'plan_build_ms',
  'power_limited',
  'batch_clock_mhz',
  'batch_clock_min_mhz',
  'batch_clock_max_mhz',
] as const;

/** Columns of the energy meter. Data sets from before they existed lack them. */
export const ENERGY_FIELDS = ['energy_meter', 'energy_idle_w', 'energy_above_idle_mj'] as const;

/** Columns of the conditions that came later. Data sets from before they existed lack them. */
export const CONDITION_FIELDS = ['disturbance'] as const;

/** State of the device, after or before the measurement. */
const conditions = (when: string) => ({
  smClockMhz: z.number().nullable().describe(`SM clock ${when} in MHz`),
  maxSmClockMhz: z.number().nullable().describe(`highest SM clock that the device allows, read ${when}`),
  temperatureC: z.number().nullable().describe(`temperature ${when} in degrees Celsius`),
  powerW: z.number().nullable().describe(`power draw ${when} in watts`),
  throttleReasons: z
    .array(z.string().max(80))
    .max(20)
    .nullable()
    .describe(`why the clock was held down ${when}; null: the state of the device is not known`),
  otherProcesses: count.nullable().describe(`other processes computing on the device ${when}`),
  hostLoad1: z.number().min(0).nullable().describe(`one-minute load average of the host ${when}`),
});
const after = conditions('after the measurement');
const before = conditions('before the measurement');

const PARTS_OF_RECORDS = [
  [
    'throttle_reasons',
    ['sm_clock_mhz', 'max_sm_clock_mhz', 'temperature_c', 'power_w', 'other_processes', 'host_load1'],
  ],
  [
    'before_throttle_reasons',
    [
      ...(['before_sm_clock_mhz', 'before_max_sm_clock_mhz', 'before_temperature_c'] as const),
      ...(['before_power_w', 'before_other_processes', 'before_host_load1'] as const),
    ],
  ],
  ['energy_window_ms', ['energy_integrated_mj', 'energy_doubt', ...ENERGY_FIELDS]],
  ['kernel', ['kernel_notes', 'plan_build_ms']],
] as const;
const TOGETHER = [
  ['throttle_reasons', 'before_throttle_reasons'],
  ['energy_window_ms', 'energy_iterations'],
  ['batch_clock_mhz', 'batch_clock_min_mhz'],
  ['batch_clock_mhz', 'batch_clock_max_mhz'],
] as const;

/**
 * One row of a published data set: one good sample, flat. Absent values are null; times are of one convolution.
 * docs/datasets.md.
 */
export const DatasetRowSchema = z
  .strictObject({
    sample_id: IdSchema.describe('names the sample'),
    batch: axis.describe('images'),
    height: axis.describe('height of the input in elements'),
    width: axis.describe('width of the input in elements'),
    cin: axis.describe('input channels'),
    cout: axis.describe('output channels'),
    kernel_h: axis.describe('height of the kernel'),
    kernel_w: axis.describe('width of the kernel'),
    stride: axis.describe('on both axes'),
    groups: axis.describe('groups of channels; equal to cin: depthwise'),
    dtype: dtype.unwrap().describe('type of the elements'),
    padding: padding.unwrap().describe('same: half the kernel on each side; valid: none'),
    layout: layout.unwrap().describe('order of the axes in memory'),
    stride_h: axis.nullish().describe('along the height, where the strides differ'),
    stride_w: axis.nullish().describe('along the width, where the strides differ'),
    dilation_h: axis.nullish().describe('distance of neighbouring kernel points; null: 1'),
    dilation_w: axis.nullish().describe('distance of neighbouring kernel points; null: 1'),
    pad_top: pad.describe('rows of zeros above the input, where padding is explicit'),
    pad_bottom: pad.describe('rows of zeros below the input'),
    pad_left: pad.describe('columns of zeros before the input'),
    pad_right: pad.describe('columns of zeros after the input'),
    pass: pass.unwrap().nullish().describe('what was computed; null: forward'),
    time_ms: plausibleMs.describe('median of the timed batches in milliseconds'),
    time_min_ms: ms.describe('least of the timed batches'),
    time_q25_ms: ms.describe('lower quartile of the timed batches'),
    time_q75_ms: ms.describe('upper quartile of the timed batches'),
    time_mean_ms: ms.describe('mean of the timed batches'),
    cv: z.number().min(0).nullable().describe('standard deviation over mean of the timed batches'),
    repetitions: count.nullable().describe('timed batches'),
    inner_iterations: z.int().min(1).nullable().describe('convolutions in one timed batch'),
    warm_up_runs: count.nullable().describe('untimed runs before the timed ones'),
    stopped_by: z
      .enum(['relative-standard-error', 'total-time'])
      .nullable()
      .describe('which rule ended the timing'),
    batch_times_ms: z.array(plausibleMs).max(10_000).describe('every timed batch, in order'),
    eager_ms: ms.describe('launch by launch, with launch cost in it'),
    energy_mj: positive.nullable().describe('energy of one convolution in millijoules, idle power included'),
    energy_window_ms: ms.describe('of back-to-back running in which the energy was counted'),
    energy_iterations: z.int().min(1).nullable().describe('convolutions in that window'),
    energy_integrated_mj: positive.nullable().describe('the energy by integrating power readings'),
    energy_doubt: text.describe('why the energy may be off'),
    energy_not_measured: text.describe('why the energy was asked for and could not be measured'),
    energy_meter: z
      .string()
      .min(1)
      .max(80)
      .nullish()
      .describe('meter that counted the energy; energies of two meters are not comparable'),
    energy_idle_w: z
      .number()
      .min(0)
      .nullish()
      .describe('power of the device in watts while it computed nothing'),
    energy_above_idle_mj: z
      .number()
      .nullish()
      .describe('energy of one convolution in millijoules minus idle power times its duration'),
    algorithm: text.describe('algorithm or kernel chosen by the library'),
    workspace_bytes: z
      .number()
      .min(0)
      .nullable()
      .describe('memory that the algorithm took beside its tensors'),
    kernel: KernelNameSchema.nullish().describe(
      'kernel that ran: engine and knobs as cudnn-frontend writes them',
    ),
    kernel_notes: z
      .array(z.string().max(80))
      .max(20)
      .nullish()
      .describe('what the kernel does to numbers, such as tensor-core'),
    plan_build_ms: z
      .number()
      .min(0)
      .nullish()
      .describe('time that the library took to choose and to prepare the kernel, in milliseconds'),
    power_limited: z
      .boolean()
      .nullish()
      .describe('true: the power limit held the clock down while it was timed'),
    batch_clock_mhz: clock.describe('median SM clock of the timed batches in MHz'),
    batch_clock_min_mhz: clock.describe('lowest SM clock of the timed batches in MHz'),
    batch_clock_max_mhz: clock.describe('highest SM clock of the timed batches in MHz'),
    sm_clock_mhz: after.smClockMhz,
    max_sm_clock_mhz: after.maxSmClockMhz,
    temperature_c: after.temperatureC,
    power_w: after.powerW,
    throttle_reasons: after.throttleReasons,
    other_processes: after.otherProcesses,
    host_load1: after.hostLoad1,
    disturbance: z
      .number()
      .min(0)
      .nullish()
      .describe(
        'largest share by which a reference convolution around the timed batches was slower than its best on this device; null: not watched',
      ),
    before_sm_clock_mhz: before.smClockMhz,
    before_max_sm_clock_mhz: before.maxSmClockMhz,
    before_temperature_c: before.temperatureC,
    before_power_w: before.powerW,
    before_throttle_reasons: before.throttleReasons,
    before_other_processes: before.otherProcesses,
    before_host_load1: before.hostLoad1,
    device_class_id: IdSchema.describe(
      'SKU, executor, library versions and math mode: dataset.json has them',
    ),
    device_id: IdSchema.nullable().describe('the physical device'),
    worker_id: IdSchema.nullable().describe('the worker that measured it'),
    campaign_id: IdSchema.describe('the campaign, or the import, that it belongs to'),
    target_id: IdSchema.describe('device class or device that the campaign asked for'),
    spec_index: count.describe('place in the plan of the campaign'),
    replicate: count.describe('which repetition of the plan'),
    attempt: z.int().min(1).max(MAX_INT32).describe('at the batch, counted from 1'),
    batch_index: count.describe('batch of the campaign that it was measured in'),
    protocol: z.string().min(1).max(120).describe('how it was timed'),
    protocol_version: count.describe('of the protocol'),
    provenance_id: z
      .string()
      .max(64)
      .nullable()
      .describe('SHA-256 of the record of device, libraries, worker and host in provenance.jsonl'),
    started_at: TimestampSchema.describe('by the clock of the worker'),
    recorded_at: TimestampSchema.describe(
      'by the clock of the coordinator; with sample_id the order of rows',
    ),
    signature: z
      .string()
      .max(100)
      .nullable()
      .describe('Ed25519 of the worker, base64url; no part of the content that the id of the data set names'),
  })
  .superRefine((row, context) => {
    const spec = Object.fromEntries(SPEC_FIELDS.map((name) => [name, row[name] ?? undefined]));
    const parsed = ConvSpecSchema.safeParse(spec);
    for (const { path, message } of parsed.error?.issues ?? []) {
      context.addIssue({ code: 'custom', path, message });
    }
    const refuse = (path: string, message: string) => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const implausible = parsed.success ? implausibleTime(parsed.data, row.time_ms) : null;
    if (implausible !== null) refuse('time_ms', implausible);
    // The id of a data set needs one spelling of each convolution.
    for (const name of ['stride', 'padding', ...OPTIONAL_FIELDS] as const) {
      const canonical = parsed.data?.[name] ?? null;
      if (parsed.success && (row[name] ?? null) !== canonical) {
        refuse(name, `must be ${canonical ?? 'null'}, as the other columns of the convolution are`);
      }
    }
    // Columns that are parts of one record: without the first, the record is missing.
    for (const [whole, parts] of PARTS_OF_RECORDS) {
      const found = parts.find((part) => (row[part] ?? null) !== null);
      if ((row[whole] ?? null) === null && found !== undefined)
        refuse(found, `must be null where ${whole} is`);
    }
    for (const [one, other] of TOGETHER) {
      if (((row[one] ?? null) === null) !== ((row[other] ?? null) === null))
        refuse(other, `must be null just where ${one} is`);
    }
    if (row.energy_window_ms !== null && row.energy_not_measured !== null) {
      refuse('energy_not_measured', 'must be null where energy_window_ms is not');
    }
  })
  .meta({ id: 'DatasetRow', description: 'One good sample, flat. Absent values are null.' });
export type DatasetRow = z.infer<typeof DatasetRowSchema>;

/** Which good samples a data set is made of; an absent field does not limit. */
export const DatasetFilterSchema = z
  .strictObject({
    campaignId: IdSchema.optional(),
    deviceClassId: IdSchema.optional(),
    deviceId: IdSchema.optional(),
    recordedFrom: GivenTimeSchema.optional().describe('recorded at this time or later'),
    recordedTo: GivenTimeSchema.optional().describe('recorded before this time'),
  })
  .meta({ id: 'DatasetFilter' });
export type DatasetFilter = z.infer<typeof DatasetFilterSchema>;

export const DATASET_LICENCES = [
  'cc-by-4.0',
  'cc-by-sa-4.0',
  'cc0-1.0',
  'odc-by',
  'odbl',
  'pddl',
  'apache-2.0',
  'mit',
] as const;

/** What its makers say of a data set: not part of its id. */
const about = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,79}$/, 'must be 1–80 of a–z, 0–9, ".", "_", "-"')
    .describe('snapshots of one name are its versions'),
  title: LineSchema.min(1).max(200),
  description: z.string().max(10_000),
  licence: z.enum(DATASET_LICENCES).describe('as Hugging Face spells SPDX identifiers'),
  creators: z.array(LineSchema.min(1).max(200)).max(100).describe('people or organisations to cite'),
};

export const DatasetRequestSchema = z
  .strictObject({
    filter: DatasetFilterSchema.prefault({}),
    name: about.name.default('samples'),
    title: about.title.default('Measured times of convolutions'),
    description: about.description.default(''),
    licence: about.licence.default('cc-by-4.0'),
    creators: about.creators.default([]),
  })
  .meta({ id: 'DatasetRequest' });
export type DatasetRequest = z.infer<typeof DatasetRequestSchema>;

/** The rows that a model was fitted to, so that its data digest can be made again. */
export const FitInputSchema = z
  .object({
    modelId: IdSchema,
    dataDigest: z.string().describe('of the model; SHA-256 of the canonical lines of these rows'),
    deviceClassId: IdSchema,
    protocol: z.string(),
    protocolVersion: z.int(),
    rows: z.int().min(1).describe('the first so many rows of this device class and protocol'),
  })
  .meta({ id: 'FitInput' });
export type FitInput = z.infer<typeof FitInputSchema>;

/** A frozen snapshot of samples. */
export const DatasetSchema = z
  .object({
    schema: z.literal('alphaflops.dataset/1'),
    id: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('SHA-256 of the canonical content of its rows'),
    ...about,
    version: z.int().min(1).describe('of the snapshots with this name'),
    createdAt: TimestampSchema,
    codeVersion: z.string(),
    filter: DatasetFilterSchema,
    rows: z.int().min(1),
    signedRows: z.int().min(0),
    importedRows: z.int().min(0).describe('rows that came to this deployment by import'),
    leftOut: z
      .record(z.string(), z.int())
      .describe(
        'samples that match the filter and are not in it, by outcome; signature-invalid: ok, but not as its worker has signed it',
      ),
    recordedFrom: TimestampSchema.describe('of the first row'),
    recordedTo: TimestampSchema.describe('of the last row'),
    deviceClasses: z.array(DeviceClassSchema),
    protocols: z.array(z.object({ name: z.string(), version: z.int(), rows: z.int() })),
    provenanceIds: z.array(z.string()),
    workers: z
      .array(z.object({ id: IdSchema, publicKey: PublicKeySchema }))
      .describe('whose signatures the rows have'),
    fitInputs: z.array(FitInputSchema).describe('models of this deployment whose exact input is in it'),
    energyColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${ENERGY_FIELDS.join(', ')}; absent: no row has, and the files lack these columns`,
      ),
    conditionColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${CONDITION_FIELDS.join(', ')}; absent: no row has, and the files lack these columns`,
      ),
    kernelMaps: z
      .array(KernelMapSchema)
      .optional()
      .describe('of its device classes, as files of its directory; absent: there were none'),
    kernelColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${KERNEL_FIELDS.join(', ')}; absent: no row has, and the files lack these columns`,
      ),
    optionalColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${OPTIONAL_FIELDS.join(', ')}; absent: no row has, and the files lack these columns`,
      ),
  })
  .meta({ id: 'Dataset' });
export type Dataset = z.infer<typeof DatasetSchema>;

export const DATASET_FORMATS = ['parquet', 'csv', 'jsonl'] as const;
export const DatasetFormatSchema = z.enum(DATASET_FORMATS).meta({ id: 'DatasetFormat' });
export type DatasetFormat = z.infer<typeof DatasetFormatSchema>;

export const DatasetFormatQuerySchema = z.strictObject({
  format: DatasetFormatSchema.default('parquet'),
});

/** Most rows in one request of an import. */
export const MAX_IMPORT_ROWS = 1000;

/** A part of an import: rows, and the records that they name. Sent again, it changes nothing. */
export const ImportRequestSchema = z
  .strictObject({
    deviceClasses: z
      .array(DeviceClassSchema)
      .max(1000)
      .describe('those that are known already stay as they are'),
    provenance: z.array(ProvenanceSchema).max(1000),
    rows: z.array(DatasetRowSchema).max(MAX_IMPORT_ROWS),
  })
  .meta({ id: 'ImportRequest' });
export type ImportRequest = z.infer<typeof ImportRequestSchema>;

export const ImportResultSchema = z
  .object({
    recorded: z.int(),
    present: z.int().describe('rows that were here before'),
  })
  .meta({ id: 'ImportResult' });
export type ImportResult = z.infer<typeof ImportResultSchema>;
