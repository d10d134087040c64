import { toUSVString } from 'node:util';
import {
  type ColumnGroup,
  type ColumnOfGroup,
  engineConfigOf,
  type ENERGY_FIELDS,
  type EnergyCheck,
  type KERNEL_FIELDS,
  type Conditions,
  type DatasetRow,
  type Kernel,
  type Sample,
  type SampleTiming,
} from '@alphaflops/contracts';
import { type ConvSpec, hasOptionalFields, OPTIONAL_FIELDS, specKey } from '@alphaflops/conv';
import { EXTRA_COLUMNS, type Extras } from '../row-reader.js';
import { COLUMNS, type Column } from './columns.js';

/** A good sample as a row. @throws Error for any other */
export function rowOfSample(sample: Sample): DatasetRow {
  const { spec, timing, conditions } = sample;
  if (sample.outcome !== 'ok' || timing === null) throw new Error(`${sample.id} is not a good sample`);
  const { energy } = timing;
  const counted = energy?.measured === true ? energy : null;
  const after = conditions?.after ?? null;
  const before = conditions?.before ?? null;
  return {
    sample_id: sample.id,
    batch: spec.batch,
    height: spec.height,
    width: spec.width,
    cin: spec.cin,
    cout: spec.cout,
    kernel_h: spec.kernel_h,
    kernel_w: spec.kernel_w,
    stride: spec.stride,
    groups: spec.groups,
    dtype: spec.dtype,
    padding: spec.padding,
    layout: spec.layout,
    ...optionalCells(spec),
    time_ms: timing.timeMs,
    time_min_ms: timing.timeMinMs,
    time_q25_ms: timing.timeQ25Ms,
    time_q75_ms: timing.timeQ75Ms,
    time_mean_ms: timing.timeMeanMs,
    cv: timing.cv,
    repetitions: timing.repetitions,
    inner_iterations: timing.innerIterations,
    warm_up_runs: timing.warmUpRuns,
    stopped_by: timing.stoppedBy,
    batch_times_ms: timing.batchTimesMs,
    eager_ms: timing.eagerMs,
    energy_mj: timing.energyMillijoules,
    energy_window_ms: counted?.windowMs ?? null,
    energy_iterations: counted?.iterations ?? null,
    energy_integrated_mj: counted?.integratedMillijoules ?? null,
    energy_doubt: wellFormed(counted?.doubt),
    energy_not_measured: energy?.measured === false ? wellFormed(energy.reason) : null,
    ...energyCells(counted),
    algorithm: wellFormed(sample.algorithm),
    workspace_bytes: sample.workspaceBytes,
    ...kernelCells(sample, timing),
    sm_clock_mhz: after?.smClockMhz ?? null,
    max_sm_clock_mhz: after?.maxSmClockMhz ?? null,
    temperature_c: after?.temperatureC ?? null,
    power_w: after?.powerW ?? null,
    throttle_reasons: after?.throttleReasons ?? null,
    other_processes: after?.otherProcesses ?? null,
    host_load1: after?.hostLoad1 ?? null,
    ...(typeof after?.disturbance === 'number' && { disturbance: after.disturbance }),
    before_sm_clock_mhz: before?.smClockMhz ?? null,
    before_max_sm_clock_mhz: before?.maxSmClockMhz ?? null,
    before_temperature_c: before?.temperatureC ?? null,
    before_power_w: before?.powerW ?? null,
    before_throttle_reasons: before?.throttleReasons ?? null,
    before_other_processes: before?.otherProcesses ?? null,
    before_host_load1: before?.hostLoad1 ?? null,
    device_class_id: sample.deviceClassId,
    device_id: sample.deviceId,
    worker_id: sample.workerId,
    campaign_id: sample.campaignId,
    target_id: sample.targetId,
    spec_index: sample.specIndex,
    replicate: sample.replicate,
    attempt: sample.attempt,
    batch_index: sample.batchIndex,
    protocol: sample.protocol.name,
    protocol_version: sample.protocol.version,
    provenance_id: sample.provenanceId,
    started_at: sample.startedAt,
    recorded_at: sample.recordedAt,
    signature: sample.signature,
  };
}

/** A row of the columns that every data set has, all null. */
export function blankRow(): Record<Exclude<Column['name'], ColumnOfGroup<ColumnGroup>>, null> {
  return Object.fromEntries(COLUMNS.map(({ name }) => [name, null])) as ReturnType<typeof blankRow>;
}

/** Values of a good sample that a file of samples has in addition to the convolution and its time. */
export function extrasOfSample(sample: Sample): Extras {
  const row = rowOfSample(sample);
  const cells = EXTRA_COLUMNS.map((name) => [name, row[name] ?? null] as const);
  return Object.fromEntries(cells.filter(([, value]) => value !== null));
}

/** The sample from which `rowOfSample` made the row. */
export function sampleOfRow(row: DatasetRow): Sample {
  const spec = specOfRow(row);
  const kernel = kernelOf(row);
  const powerLimited = row.power_limited ?? null;
  return {
    id: row.sample_id,
    campaignId: row.campaign_id,
    targetId: row.target_id,
    specIndex: row.spec_index,
    replicate: row.replicate,
    attempt: row.attempt,
    batchIndex: row.batch_index,
    specKey: specKey(spec),
    spec,
    deviceId: row.device_id,
    deviceClassId: row.device_class_id,
    workerId: row.worker_id,
    protocol: { name: row.protocol, version: row.protocol_version },
    provenanceId: row.provenance_id,
    outcome: 'ok',
    reason: null,
    timing: timingOf(row),
    conditions: conditionsOf(row),
    algorithm: row.algorithm,
    workspaceBytes: row.workspace_bytes,
    ...(kernel && { kernel }),
    ...(powerLimited !== null && { powerLimited }),
    startedAt: row.started_at,
    recordedAt: row.recorded_at,
    signature: row.signature,
  };
}

/** The convolution of a row. */
export function specOfRow(row: DatasetRow): ConvSpec {
  const { batch, height, width, cin, cout, kernel_h, kernel_w, stride, groups, dtype, padding, layout } = row;
  const known = Object.fromEntries(
    OPTIONAL_FIELDS.map((name) => [name, row[name] ?? null] as const).filter(([, value]) => value !== null),
  );
  return {
    ...{ batch, height, width, cin, cout, kernel_h, kernel_w },
    ...{ stride, groups, dtype, padding, layout },
    ...known,
  };
}

/** For a spec with any optional field: all optional fields, with null for absent ones. For other specs: nothing. */
function optionalCells(spec: ConvSpec): Partial<DatasetRow> {
  if (!hasOptionalFields(spec)) return {};
  return Object.fromEntries(OPTIONAL_FIELDS.map((name) => [name, spec[name] ?? null]));
}

function timingOf(row: DatasetRow): SampleTiming {
  const energy = energyOf(row);
  const batchClocks = batchClocksOf(row);
  return {
    timeMs: row.time_ms,
    timeMinMs: row.time_min_ms,
    timeQ25Ms: row.time_q25_ms,
    timeQ75Ms: row.time_q75_ms,
    timeMeanMs: row.time_mean_ms,
    cv: row.cv,
    repetitions: row.repetitions,
    innerIterations: row.inner_iterations,
    warmUpRuns: row.warm_up_runs,
    batchTimesMs: row.batch_times_ms,
    stoppedBy: row.stopped_by,
    eagerMs: row.eager_ms,
    energyMillijoules: row.energy_mj,
    ...(energy && { energy }),
    ...(batchClocks && { batchClocks }),
  };
}

/** For a sample with any of these values: all of them, with null for absent ones. For other samples: nothing. */
function kernelCells({ kernel, powerLimited }: Sample, { batchClocks }: SampleTiming): Partial<DatasetRow> {
  if (kernel === undefined && powerLimited === undefined && batchClocks === undefined) return {};
  return {
    kernel: kernel?.name ?? null,
    kernel_notes: kernel?.numericalNotes ?? null,
    plan_build_ms: kernel?.planBuildMs ?? null,
    power_limited: powerLimited ?? null,
    batch_clock_mhz: batchClocks?.medianMhz ?? null,
    batch_clock_min_mhz: batchClocks?.minMhz ?? null,
    batch_clock_max_mhz: batchClocks?.maxMhz ?? null,
  } satisfies Required<Pick<DatasetRow, (typeof KERNEL_FIELDS)[number]>>;
}

/** For an energy from a meter with a name: all values, with null for absent ones. For other energies: nothing. */
function energyCells(energy: (EnergyCheck & { measured: true }) | null): Partial<DatasetRow> {
  if (energy?.meter === undefined) return {};
  return {
    energy_meter: wellFormed(energy.meter),
    energy_idle_w: energy.idlePowerW ?? null,
    energy_above_idle_mj: energy.aboveIdleMillijoules ?? null,
  } satisfies Required<Pick<DatasetRow, (typeof ENERGY_FIELDS)[number]>>;
}

/** The kernel of this name, with its known properties. */
function kernelOf(row: DatasetRow): Kernel | undefined {
  const { kernel: name, kernel_notes: numericalNotes = null, plan_build_ms: planBuildMs = null } = row;
  if (name === null || name === undefined) return undefined;
  const config = engineConfigOf(name) ?? { engine: null, knobs: [] };
  return { name, ...config, numericalNotes, planBuildMs };
}

function batchClocksOf(row: DatasetRow): SampleTiming['batchClocks'] {
  const [medianMhz, minMhz, maxMhz] = [row.batch_clock_mhz, row.batch_clock_min_mhz, row.batch_clock_max_mhz];
  if (medianMhz == null || minMhz == null || maxMhz == null) return undefined;
  return { medianMhz, minMhz, maxMhz };
}

function energyOf(row: DatasetRow): SampleTiming['energy'] {
  if (row.energy_not_measured !== null) return { measured: false, reason: row.energy_not_measured };
  if (row.energy_window_ms === null || row.energy_iterations === null) return undefined;
  return {
    measured: true,
    windowMs: row.energy_window_ms,
    iterations: row.energy_iterations,
    integratedMillijoules: row.energy_integrated_mj,
    ...(row.energy_meter != null && {
      meter: row.energy_meter,
      idlePowerW: row.energy_idle_w ?? null,
      aboveIdleMillijoules: row.energy_above_idle_mj ?? null,
    }),
    doubt: row.energy_doubt,
  };
}

function conditionsOf(row: DatasetRow): Sample['conditions'] {
  if (row.throttle_reasons === null || row.before_throttle_reasons === null) return null;
  const after: Conditions = {
    smClockMhz: row.sm_clock_mhz,
    maxSmClockMhz: row.max_sm_clock_mhz,
    temperatureC: row.temperature_c,
    powerW: row.power_w,
    throttleReasons: row.throttle_reasons,
    otherProcesses: row.other_processes,
    hostLoad1: row.host_load1,
    ...(typeof row.disturbance === 'number' && { disturbance: row.disturbance }),
  };
  const before: Conditions = {
    smClockMhz: row.before_sm_clock_mhz,
    maxSmClockMhz: row.before_max_sm_clock_mhz,
    temperatureC: row.before_temperature_c,
    powerW: row.before_power_w,
    throttleReasons: row.before_throttle_reasons,
    otherProcesses: row.before_other_processes,
    hostLoad1: row.before_host_load1,
  };
  return { before, after };
}

/** Half of a character, left by a cut, becomes U+FFFD, as in any file of UTF-8. */
function wellFormed(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : toUSVString(text);
}
