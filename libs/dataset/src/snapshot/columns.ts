import {
  type CONDITION_FIELDS,
  type Dataset,
  type DatasetRow,
  DatasetRowSchema,
  type ENERGY_FIELDS,
  type KERNEL_FIELDS,
} from '@alphaflops/contracts';
import type { OptionalField } from '@alphaflops/conv';

/** `int` fits 32 bits, `long` 53; `texts` and `numbers` are lists. */
export type ColumnKind = 'int' | 'long' | 'number' | 'boolean' | 'text' | 'numbers' | 'texts';

/** The columns that every data set has, in order. */
const KINDS = {
  sample_id: 'text',
  batch: 'int',
  height: 'int',
  width: 'int',
  cin: 'int',
  cout: 'int',
  kernel_h: 'int',
  kernel_w: 'int',
  stride: 'int',
  groups: 'int',
  dtype: 'text',
  padding: 'text',
  layout: 'text',
  time_ms: 'number',
  time_min_ms: 'number',
  time_q25_ms: 'number',
  time_q75_ms: 'number',
  time_mean_ms: 'number',
  cv: 'number',
  repetitions: 'int',
  inner_iterations: 'long',
  warm_up_runs: 'int',
  stopped_by: 'text',
  batch_times_ms: 'numbers',
  eager_ms: 'number',
  energy_mj: 'number',
  energy_window_ms: 'number',
  energy_iterations: 'long',
  energy_integrated_mj: 'number',
  energy_doubt: 'text',
  energy_not_measured: 'text',
  algorithm: 'text',
  workspace_bytes: 'number',
  sm_clock_mhz: 'number',
  max_sm_clock_mhz: 'number',
  temperature_c: 'number',
  power_w: 'number',
  throttle_reasons: 'texts',
  other_processes: 'int',
  host_load1: 'number',
  before_sm_clock_mhz: 'number',
  before_max_sm_clock_mhz: 'number',
  before_temperature_c: 'number',
  before_power_w: 'number',
  before_throttle_reasons: 'texts',
  before_other_processes: 'int',
  before_host_load1: 'number',
  device_class_id: 'text',
  device_id: 'text',
  worker_id: 'text',
  campaign_id: 'text',
  target_id: 'text',
  spec_index: 'int',
  replicate: 'int',
  attempt: 'int',
  batch_index: 'int',
  protocol: 'text',
  protocol_version: 'int',
  provenance_id: 'text',
  started_at: 'text',
  recorded_at: 'text',
  signature: 'text',
} as const satisfies Record<
  Exclude<keyof DatasetRow, OptionalField | KernelField | EnergyField | ConditionField>,
  ColumnKind
>;

/** Those of data sets in which some row has a value in one of them. They follow `host_load1`. */
const CONDITION_KINDS = { disturbance: 'number' } as const satisfies Record<ConditionField, ColumnKind>;

/** Those of data sets in which some row has a value in one of them. They follow `energy_not_measured`. */
const ENERGY_KINDS = {
  energy_meter: 'text',
  energy_idle_w: 'number',
  energy_above_idle_mj: 'number',
} as const satisfies Record<EnergyField, ColumnKind>;

/** Those of data sets in which some row has a value in one of them. They follow `workspace_bytes`. */
const KERNEL_KINDS = {
  kernel: 'text',
  kernel_notes: 'texts',
  plan_build_ms: 'number',
  power_limited: 'boolean',
  batch_clock_mhz: 'number',
  batch_clock_min_mhz: 'number',
  batch_clock_max_mhz: 'number',
} as const satisfies Record<KernelField, ColumnKind>;

/** Those of data sets in which some row has a value in one of them. They follow `layout`. */
const OPTIONAL_KINDS = {
  stride_h: 'int',
  stride_w: 'int',
  dilation_h: 'int',
  dilation_w: 'int',
  pad_top: 'int',
  pad_bottom: 'int',
  pad_left: 'int',
  pad_right: 'int',
  pass: 'text',
} as const satisfies Record<OptionalField, ColumnKind>;

type EnergyField = (typeof ENERGY_FIELDS)[number];
type KernelField = (typeof KERNEL_FIELDS)[number];
type ConditionField = (typeof CONDITION_FIELDS)[number];

export interface Column {
  readonly name: keyof DatasetRow;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
  readonly description: string;
}

const columnsOf = (kinds: Partial<Record<keyof DatasetRow, ColumnKind>>): Column[] =>
  Object.entries(kinds).map(([key, kind]) => {
    const name = key as keyof DatasetRow;
    const schema = DatasetRowSchema.shape[name];
    return { name, kind, nullable: schema.safeParse(null).success, description: schema.description ?? '' };
  });

/** Every data set has these. */
export const COLUMNS: readonly Column[] = columnsOf(KINDS);
export const OPTIONAL_COLUMNS: readonly Column[] = columnsOf(OPTIONAL_KINDS);
export const ENERGY_COLUMNS: readonly Column[] = columnsOf(ENERGY_KINDS);
export const KERNEL_COLUMNS: readonly Column[] = columnsOf(KERNEL_KINDS);
export const CONDITION_COLUMNS: readonly Column[] = columnsOf(CONDITION_KINDS);

/** What a file may have. */
export const ALL_COLUMNS: readonly Column[] = COLUMNS.flatMap((column) => {
  if (column.name === 'layout') return [column, ...OPTIONAL_COLUMNS];
  if (column.name === 'energy_not_measured') return [column, ...ENERGY_COLUMNS];
  if (column.name === 'host_load1') return [column, ...CONDITION_COLUMNS];
  return column.name === 'workspace_bytes' ? [column, ...KERNEL_COLUMNS] : [column];
});

/** Which columns a data set has beyond those of all. */
export type FurtherColumns = Pick<
  Dataset,
  'optionalColumns' | 'energyColumns' | 'kernelColumns' | 'conditionColumns'
>;

/** The columns of a data set, in the order of its files. */
export function columnsOfDataset(dataset: FurtherColumns): readonly Column[] {
  const { optionalColumns, energyColumns, kernelColumns, conditionColumns } = dataset;
  return ALL_COLUMNS.filter(
    (column) =>
      (optionalColumns === true || !OPTIONAL_COLUMNS.includes(column)) &&
      (energyColumns === true || !ENERGY_COLUMNS.includes(column)) &&
      (kernelColumns === true || !KERNEL_COLUMNS.includes(column)) &&
      (conditionColumns === true || !CONDITION_COLUMNS.includes(column)),
  );
}
