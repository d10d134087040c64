import { endianness } from 'node:os';
import { type Outcome, type Sample, withPresentEnergyNames } from '@alphaflops/contracts';
import type { Slot } from '@alphaflops/store';
import { Binary, type Document } from 'mongodb';

/** A sample as it is stored: its own fields, and what it is found by. */
export interface SampleDocument extends Document {
  /** The slot, or a place beside it. */
  _id: string;
  id: string;
  campaignId: string;
  targetId: string;
  batchIndex: number;
  outcome: Outcome;
  /** `recordedAt` as an instant, as order must not depend on how an ISO time is spelled. */
  recordedOn: Date;
  /** `outcome` where it is not ok. */
  failure?: Outcome;
  /** With `batchTimesMs` as little-endian doubles: less than half the size of an array, and no parsing. */
  timing: (Omit<NonNullable<Sample['timing']>, 'batchTimesMs'> & { batchTimesMs: Binary }) | null;
}

/** Ids have no slash (IdSchema), so that two slots never have one name. */
export function slotOf({ campaignId, targetId, specIndex, replicate }: Slot): string {
  return `${campaignId}/${targetId}/${specIndex}/${replicate}`;
}

/** Where a sample is kept: in its slot, or in the n-th place beside it. */
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

/** What of a document is the sample. */
export const SAMPLE_FIELDS = { _id: 0, recordedOn: 0, failure: 0 } as const;

/** The sample of a document that was read with `SAMPLE_FIELDS`. */
export function sampleOf(document: SampleDocument): Sample {
  const timing = withPresentEnergyNames(document.timing);
  const read = timing === null ? null : { ...timing, batchTimesMs: numbersOf(timing.batchTimesMs) };
  return { ...document, timing: read } as unknown as Sample;
}

function binaryOf(numbers: readonly number[]): Binary {
  return new Binary(inLittleEndian(Buffer.from(Float64Array.from(numbers).buffer)));
}

function numbersOf(binary: Binary): number[] {
  // A copy, as doubles must start at a multiple of eight bytes.
  return Array.from(new Float64Array(new Uint8Array(inLittleEndian(Buffer.from(binary.value()))).buffer));
}

function inLittleEndian(bytes: Buffer): Buffer {
  return endianness() === 'LE' ? bytes : bytes.swap64();
}
