import { OPTIONAL_FIELDS } from '@alphaflops/conv';
import { z } from 'zod';
import { ConvSpecSchema } from './conv-spec.js';
import { implausibleTime } from './plausible-time.js';
import { COLUMN_SCHEMAS, columnsOfGroup } from './sample-columns.js';

const SPEC_FIELDS = Object.keys(ConvSpecSchema.shape) as (keyof typeof ConvSpecSchema.shape)[];

/** Columns for the kernel and for the clock during the timing. Data sets of earlier versions do not have them. */
export const KERNEL_FIELDS = columnsOfGroup('kernel');

/** Columns of the energy meter. Data sets of earlier versions do not have them. */
export const ENERGY_FIELDS = columnsOfGroup('energy');

/** Columns of later conditions. Data sets of earlier versions do not have them. */
export const CONDITION_FIELDS = columnsOfGroup('condition');

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
  .strictObject(COLUMN_SCHEMAS)
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
