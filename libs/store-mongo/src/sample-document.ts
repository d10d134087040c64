import { endianness } from 'node:os';
import { type Outcome, type Sample, withPresentEnergyNames } from '@alphaflops/contracts';
import type { Slot } from '@alphaflops/store';
import { Binary, type Document } from 'mongodb';

/** A sample as it is stored: its own fields, and fields for searching. */
export interface SampleDocument extends Document {
  /** The slot, or the set-aside place. */
  _id: string;
  id: string;
  campaignId: string;
  targetId: string;
  batchIndex: number;
  outcome: Outcome;
  /** `recordedAt` as an instant, because the order must not depend on the text format of an ISO time. */
  recordedOn: Date;
  /** The value of `outcome` if it is not ok. */
  failure?: Outcome;
  /**
   * `batchTimesMs` is stored as little-endian doubles, which need less than half the size of an array and no parsing.
   */
  timing: (Omit<NonNullable<Sample['timing']>, 'batchTimesMs'> & { batchTimesMs: Binary }) | null;
}

/** Returns the name of a slot. Ids contain no slash (IdSchema), so two slots never have the same name. */
export function slotOf({ campaignId, targetId, specIndex, replicate }: Slot): string {
  return `${campaignId}/${targetId}/${specIndex}/${replicate}`;
}

/** Returns the place of a sample: its slot, or the n-th set-aside place of the slot. */
export function placeOfSample(sample: Sample): string {
  return sample.setAside === undefined ? slotOf(sample) : besideSlot(sample, sample.setAside);
}

export function besideSlot(slot: Slot, n: number): string {
  return `${slotOf(slot)}/d${n}`;
}

export function documentOf(sample: Sample): SampleDocument {
  const { timing, outcome } = sample;
  return {
    _id: placeOfSample(sample),
    ...sample,
    timing: timing === null ? null : { ...timing, batchTimesMs: binaryOf(timing.batchTimesMs) },
    recordedOn: new Date(sample.recordedAt),
    ...(outcome !== 'ok' && { failure: outcome }),
  };
}

/** The projection of a document to the fields of the sample. */
export const SAMPLE_FIELDS = { _id: 0, recordedOn: 0, failure: 0 } as const;

/** Builds the sample from a document that was read with `SAMPLE_FIELDS`. */
export function sampleOf(document: SampleDocument): Sample {
  const timing = withPresentEnergyNames(document.timing);
  const read = timing === null ? null : { ...timing, batchTimesMs: numbersOf(timing.batchTimesMs) };
  return { ...document, timing: read } as unknown as Sample;
}

function binaryOf(numbers: readonly number[]): Binary {
  return new Binary(inLittleEndian(Buffer.from(Float64Array.from(numbers).buffer)));
}

function numbersOf(binary: Binary): number[] {
  // A copy, because doubles must start at a multiple of eight bytes.
  return Array.from(new Float64Array(new Uint8Array(inLittleEndian(Buffer.from(binary.value()))).buffer));
}

function inLittleEndian(bytes: Buffer): Buffer {
  return endianness() === 'LE' ? bytes : bytes.swap64();
}
