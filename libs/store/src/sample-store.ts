import { hasOptionalFields } from '@alphaflops/conv';
import type { Outcome, OutcomeCounts, Page, PageQuery, Provenance, Sample } from '@alphaflops/contracts';

export interface SampleFilter {
  campaignId?: string | undefined;
  deviceClassId?: string | undefined;
  deviceId?: string | undefined;
  workerId?: string | undefined;
  outcome?: Outcome | undefined;
  /** recordedAt ≥ this, ISO 8601. */
  recordedFrom?: string | undefined;
  /** recordedAt < this. */
  recordedTo?: string | undefined;
}

/** Samples stored so far for one batch of one target. */
export interface BatchCount {
  targetId: string;
  batchIndex: number;
  recorded: number;
}

export interface RecordOutcome {
  inserted: number;
  /**
   * Samples that are dropped, because their slot (campaignId, targetId, specIndex, replicate) already holds a sample.
   * Set-aside samples do not occupy a slot.
   */
  duplicates: number;
}

/** The planned measurement that a sample belongs to. */
export type Slot = Pick<Sample, 'campaignId' | 'targetId' | 'specIndex' | 'replicate'>;

/** Selects the samples that leave their slots. */
export interface SetAside {
  /** Only samples that this device measured. */
  deviceId: string;
  /** Only samples that started before this time, ISO 8601 in UTC with milliseconds. */
  startedBefore: string;
  /** Becomes the `reason` of these samples. */
  reason: string;
}

/**
 * How many times a slot is measured again because of drift. The sample of the last repetition is kept, so that a
 * campaign ends.
 */
export const MAX_SET_ASIDE = 2;

/** For adapters: returns the drifted form of a valid sample that is the n-th sample to leave its slot. */
export function asDrifted(sample: Sample, n: number, reason: string): Sample {
  return { ...sample, id: `${sample.id}.d${n}`, outcome: 'drifted', reason, setAside: n };
}

/** For adapters: returns the noisy form of a valid sample that other visits contradict. */
export function asNoisy(sample: Sample, reason: string): Sample {
  return { ...sample, outcome: 'noisy', reason };
}

/** Samples are never removed. A valid sample can later be set aside as drifted, or be marked as noisy. */
export abstract class SampleStore {
  /**
   * Stores the samples and the provenance that they refer to, atomically. The call is idempotent by slot: a sample
   * whose slot already holds a sample is dropped and counted as a duplicate. The counts of a campaign change in the
   * same transaction.
   * @param provenance keyed by its id (sha-256 digest)
   */
  abstract record(
    samples: readonly Sample[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<RecordOutcome>;

  /**
   * Removes valid samples from their slots, which are free afterwards. The samples get another id and the outcome
   * `drifted`, and no longer count for their batch. A slot from which MAX_SET_ASIDE samples were removed keeps the
   * next one. The call can be repeated. Returns how many samples this call removed from their slots.
   */
  abstract setAside(slots: readonly Slot[], which: SetAside): Promise<number>;

  /**
   * Marks valid samples in these slots as `noisy`. They keep their slots and all measured values. The call can be
   * repeated. Returns how many samples this call marked.
   */
  abstract markNoisy(slots: readonly Slot[], reason: string): Promise<number>;

  /** Returns the outcome counts of one campaign. The cost does not depend on the number of samples. */
  abstract counts(campaignId: string): Promise<OutcomeCounts>;

  /** One entry per batch that has samples in their slots. */
  abstract batchCounts(campaignId: string): AsyncIterable<BatchCount>;

  /** Oldest recorded first; ties in order of id. */
  abstract list(filter: SampleFilter, page: PageQuery): Promise<Page<Sample>>;

  /** Yields all samples that match, in the order of `list`, in constant memory. */
  abstract stream(filter: SampleFilter): AsyncIterable<Sample>;

  /**
   * Whether any matching sample has a convolution with an optional field: strides per axis, dilation, pads or a pass.
   */
  async hasOptionalFields(filter: SampleFilter): Promise<boolean> {
    for await (const { spec } of this.stream(filter)) if (hasOptionalFields(spec)) return true;
    return false;
  }

  abstract get(id: string): Promise<Sample | null>;

  abstract provenance(id: string): Promise<Provenance | null>;

  /** Yields every provenance record in the order of ids, including records that no sample refers to. */
  abstract provenanceRecords(): AsyncIterable<[id: string, record: Provenance]>;

  /**
   * Counts the samples of one campaign recorded at or after `since` (ISO 8601), by device. The key null counts
   * samples that no device measured.
   */
  abstract countByDevice(since: string, campaignId: string): Promise<ReadonlyMap<string | null, number>>;

  /** Counts the samples of all campaigns recorded at or after `from` and before `to` (ISO 8601). */
  abstract countBetween(from: string, to: string): Promise<number>;
}
