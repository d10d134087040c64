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
  /** Samples whose slot (campaignId, targetId, specIndex, replicate) was taken already; they are dropped. */
  duplicates: number;
}

/** Samples are only ever added. */
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

  /** Outcome counts of one campaign; cost independent of the number of samples. */
  abstract counts(campaignId: string): Promise<OutcomeCounts>;

  /** One entry per batch that has samples. */
  abstract batchCounts(campaignId: string): AsyncIterable<BatchCount>;

  /** Oldest recorded first; ties in order of id. */
  abstract list(filter: SampleFilter, page: PageQuery): Promise<Page<Sample>>;

  /** All that match, in the order of `list`, in constant memory. */
  abstract stream(filter: SampleFilter): AsyncIterable<Sample>;

  abstract get(id: string): Promise<Sample | null>;

  abstract provenance(id: string): Promise<Provenance | null>;

  /** Every provenance record, in the order of their ids, also those that no sample points to. */
  abstract provenanceRecords(): AsyncIterable<[id: string, record: Provenance]>;

  /** Samples recorded at or after `since` (ISO 8601), over all campaigns or in one. */
  abstract countSince(since: string, campaignId?: string): Promise<number>;
}
