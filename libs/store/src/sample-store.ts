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
  /** Samples whose slot (campaignId, targetId, specIndex, replicate) was taken already; they are dropped. Set-aside samples have places of their own. */
  duplicates: number;
}

/** What a sample is measured for. */
export type Slot = Pick<Sample, 'campaignId' | 'targetId' | 'specIndex' | 'replicate'>;

/** Which of the samples of some slots give way. */
export interface SetAside {
  /** Those that this device measured. */
  deviceId: string;
  /** And began before this moment, ISO 8601 in UTC with milliseconds. */
  startedBefore: string;
  /** Stored with them. */
  reason: string;
}

/** So often a slot is measured again because of drift; what is measured then is kept, so that a campaign ends. */
export const MAX_SET_ASIDE = 2;

/** For adapters: what becomes of a good sample that is the n-th of its slot to give way. */
export function asDrifted(sample: Sample, n: number, reason: string): Sample {
  return { ...sample, id: `${sample.id}.d${n}`, outcome: 'drifted', reason, setAside: n };
}

/** For adapters: what becomes of a good sample that other visits contradict. */
export function asNoisy(sample: Sample, reason: string): Sample {
  return { ...sample, outcome: 'noisy', reason };
}

/** Samples are only ever added; a good one may be set aside, or be found to be noisy. */
export abstract class SampleStore {
  /**
   * Stores the samples and the provenance they point to, all or nothing. Idempotent by slot: a sample whose slot
   * is taken is dropped and counted. Counts per campaign are kept in the same transaction.
   * @param provenance keyed by its id (sha-256 digest)
   */
  abstract record(
    samples: readonly Sample[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<RecordOutcome>;

  /**
   * Takes good samples out of their slots, which are free after that: they get another id and the outcome `drifted`, and
   * no longer count for their batch. A slot from which MAX_SET_ASIDE samples were taken keeps the next one. Safe to repeat.
   * Returns how many were taken now.
   */
  abstract setAside(slots: readonly Slot[], which: SetAside): Promise<number>;

  /**
   * Good samples in these slots become `noisy`: they keep their slots and all that was measured. Safe to repeat. Returns how
   * many were good before.
   */
  abstract markNoisy(slots: readonly Slot[], reason: string): Promise<number>;

  /** Outcome counts of one campaign; cost independent of the number of samples. */
  abstract counts(campaignId: string): Promise<OutcomeCounts>;

  /** One entry per batch that has samples in their slots. */
  abstract batchCounts(campaignId: string): AsyncIterable<BatchCount>;

  /** Oldest recorded first; ties in order of id. */
  abstract list(filter: SampleFilter, page: PageQuery): Promise<Page<Sample>>;

  /** All that match, in the order of `list`, in constant memory. */
  abstract stream(filter: SampleFilter): AsyncIterable<Sample>;

  /** Whether the convolution of some sample that matches has an optional field: strides by axis, dilation, pads or a pass. */
  async hasOptionalFields(filter: SampleFilter): Promise<boolean> {
    for await (const { spec } of this.stream(filter)) if (hasOptionalFields(spec)) return true;
    return false;
  }

  abstract get(id: string): Promise<Sample | null>;

  abstract provenance(id: string): Promise<Provenance | null>;

  /** Every provenance record, in the order of their ids, also those that no sample points to. */
  abstract provenanceRecords(): AsyncIterable<[id: string, record: Provenance]>;

  /** Samples of one campaign recorded at or after `since` (ISO 8601), by device; those that no device measured under null. */
  abstract countByDevice(since: string, campaignId: string): Promise<ReadonlyMap<string | null, number>>;

  /** Samples recorded at or after `from` and before `to` (ISO 8601), over all campaigns. */
  abstract countBetween(from: string, to: string): Promise<number>;
}
