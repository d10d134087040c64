import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DatasetRow, DeviceClass, Provenance } from '@alphaflops/contracts';
import { specKey } from '@alphaflops/conv';
import {
  blankRow,
  type NumberedRow,
  type OnIgnored,
  readSamples,
  readSamplesJsonl,
  type SampleRow,
} from '@alphaflops/dataset';
import { provenanceId } from '@alphaflops/provenance';
import { noteIgnored, readInput } from '../files.js';
import type { RowFile } from './source.js';

/** The protocol of samples without a protocol. */
const PROTOCOL = { name: 'imported', version: 1 };
const UNKNOWN = 'unknown';

/** A table of another layout as rows of a data set, with their origin. */
export interface ForeignRows extends RowFile {
  readonly provenance: Provenance;
}

/**
 * Adds the missing values of a row to the samples of a table: the named device class, ids made of the digest of the
 * table, and the time of its file. The same file gives the same rows. Values that the table does not have stay null.
 *
 * @throws DatasetError if the table cannot be read; the function reads the whole table once first
 */
export async function foreignRows(path: string, deviceClass: DeviceClass): Promise<ForeignRows> {
  const hash = createHash('sha256').update(`${deviceClass.id}\n`);
  for await (const { spec, timeMs, extras } of samplesIn(path, noteIgnored(path))) {
    hash.update(`${JSON.stringify([specKey(spec), timeMs, extras])}\n`);
  }
  const digest = hash.digest('hex');
  const provenance: Provenance = {
    schema: 'alphaflops.provenance/1',
    device: { file: basename(path), sha256: digest, sku: deviceClass.sku },
    executor: { name: 'imported', version: UNKNOWN },
    libraries: {},
    mathMode: deviceClass.mathMode,
    worker: { version: UNKNOWN, commit: null, dirty: null },
    host: { hostname: UNKNOWN, cpu: UNKNOWN, os: UNKNOWN, kernel: UNKNOWN, node: UNKNOWN },
  };
  const common = {
    importId: `imported-${digest.slice(0, 16)}`,
    deviceClassId: deviceClass.id,
    provenanceId: provenanceId(provenance),
    time: (await stat(path)).mtime.toISOString(),
  };
  return {
    path,
    provenance,
    rows: async function* (): AsyncGenerator<NumberedRow> {
      let index = 0;
      for await (const sample of samplesIn(path)) {
        yield { line: sample.line, row: rowOf(sample, index++, common) };
      }
    },
  };
}

function samplesIn(path: string, onIgnored?: OnIgnored): AsyncIterable<SampleRow> {
  return /\.(jsonl|ndjson)$/i.test(path)
    ? readSamplesJsonl(readInput(path), path)
    : readSamples(readInput(path), path, onIgnored);
}

interface Common {
  readonly importId: string;
  readonly deviceClassId: string;
  readonly provenanceId: string;
  readonly time: string;
}

function rowOf(
  { spec, timeMs, extras }: SampleRow,
  index: number,
  { importId, deviceClassId, provenanceId: record, time }: Common,
): DatasetRow {
  const count = (value: number | undefined): number | null =>
    value !== undefined && Number.isInteger(value) ? value : null;
  const state = [extras.sm_clock_mhz, extras.temperature_c, extras.power_w];
  const throttleReasons = state.some((value) => value !== undefined) ? [] : null;
  return {
    ...blankRow(),
    sample_id: `${importId}-${String(index).padStart(9, '0')}`,
    ...spec,
    time_ms: timeMs,
    time_min_ms: extras.time_min_ms ?? null,
    time_q25_ms: extras.time_q25_ms ?? null,
    time_q75_ms: extras.time_q75_ms ?? null,
    repetitions: count(extras.repetitions),
    inner_iterations: count(extras.inner_iterations),
    batch_times_ms: [],
    eager_ms: extras.eager_ms ?? null,
    energy_mj: extras.energy_mj ?? null,
    workspace_bytes: extras.workspace_bytes ?? null,
    ...(extras.kernel !== undefined && { kernel: extras.kernel }),
    sm_clock_mhz: extras.sm_clock_mhz ?? null,
    temperature_c: extras.temperature_c ?? null,
    power_w: extras.power_w ?? null,
    throttle_reasons: throttleReasons,
    before_throttle_reasons: throttleReasons,
    device_class_id: deviceClassId,
    campaign_id: importId,
    target_id: deviceClassId,
    spec_index: index,
    replicate: 0,
    attempt: 1,
    batch_index: 0,
    protocol: PROTOCOL.name,
    protocol_version: PROTOCOL.version,
    provenance_id: record,
    started_at: time,
    recorded_at: time,
  };
}
