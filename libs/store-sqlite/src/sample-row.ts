import { type Sample, withPresentEnergyNames } from '@alphaflops/contracts';
import type { SqlValue } from './connection.js';

const DOUBLE_BYTES = 8;

export const INSERT_SAMPLE = `
  INSERT INTO samples (id, campaign_id, target_id, spec_index, replicate, device_id, device_class_id, worker_id,
                       outcome, recorded_at, doc, batch_times, set_aside)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (campaign_id, target_id, spec_index, replicate, set_aside) DO NOTHING`;

/** Returns the samples of a slot. The sample that occupies the slot, if any, comes first; set-aside samples follow. */
export const SAMPLES_OF_SLOT =
  'SELECT doc, batch_times, set_aside FROM samples INDEXED BY samples_by_slot WHERE campaign_id = ? AND target_id = ? ' +
  'AND spec_index = ? AND replicate = ? ORDER BY set_aside';

/**
 * Returns the values for `INSERT_SAMPLE`. The batch times have their own column; the document holds an empty array
 * instead.
 */
export function rowOf(sample: Sample): SqlValue[] {
  const { timing } = sample;
  const doc = timing === null ? sample : { ...sample, timing: { ...timing, batchTimesMs: [] } };
  return [
    sample.id,
    sample.campaignId,
    sample.targetId,
    sample.specIndex,
    sample.replicate,
    sample.deviceId,
    sample.deviceClassId,
    sample.workerId,
    sample.outcome,
    Date.parse(sample.recordedAt),
    JSON.stringify(doc),
    timing === null ? null : bytesOf(timing.batchTimesMs),
    sample.setAside ?? 0,
  ];
}

/** Builds the sample from a parsed document and the bytes of its batch times. */
export function sampleOf(doc: unknown, batchTimes: SqlValue | undefined): Sample {
  const sample = doc as Sample;
  sample.timing = withPresentEnergyNames(sample.timing);
  if (sample.timing !== null && batchTimes instanceof Uint8Array) {
    sample.timing.batchTimesMs = numbersOf(batchTimes);
  }
  return sample;
}

/** Encodes numbers as little-endian doubles. */
function bytesOf(numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(DOUBLE_BYTES * numbers.length));
  for (const [index, number] of numbers.entries()) view.setFloat64(DOUBLE_BYTES * index, number, true);
  return new Uint8Array(view.buffer);
}

function numbersOf({ buffer, byteOffset, byteLength }: Uint8Array): number[] {
  const view = new DataView(buffer, byteOffset, byteLength);
  return Array.from({ length: byteLength / DOUBLE_BYTES }, (_, index) =>
    view.getFloat64(DOUBLE_BYTES * index, true),
  );
}
