import type { OutcomeCounts, Page, PageQuery, Provenance, Sample } from '@alphaflops/contracts';
import {
  asDrifted,
  asNoisy,
  badCursor,
  decodeCursor,
  MAX_SET_ASIDE,
  pageFrom,
  SampleStore,
  type BatchCount,
  type RecordOutcome,
  type SampleFilter,
  type SetAside,
  type Slot,
} from '@alphaflops/store';
import type { ClientSession } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import type { Counters } from './counters.js';
import { duplicatesIn } from './mongo-error.js';
import { findAfter, whereEqual, type Place } from './pages.js';
import { ProvenanceRecords } from './provenance.js';
import {
  besideSlot,
  documentOf,
  placeOfSample,
  SAMPLE_FIELDS,
  sampleOf,
  slotOf,
  type SampleDocument,
} from './sample-document.js';
import { sampleOrder } from './sample-order.js';
import { withStoreErrors } from './with-store-errors.js';

/** Samples per page of a stream. Between two pages, nothing stays open on the server. */
const STREAM_PAGE = 500;

export class MongoSampleStore extends SampleStore {
  private readonly collection;
  private readonly provenances;

  constructor(
    private readonly connection: Connection,
    private readonly counters: Counters,
  ) {
    super();
    this.collection = connection.collection<SampleDocument>('samples');
    this.provenances = new ProvenanceRecords(connection);
  }

  /**
   * Uses one transaction if the deployment has transactions. Otherwise writes the provenance first and then the
   * samples: a crash between two writes leaves a part of the call stored, and recording the same samples again
   * completes it.
   */
  override async record(
    samples: readonly Sample[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<RecordOutcome> {
    const addProvenance = this.provenances.addition(provenance);
    const firstOfSlot = new Map<string, SampleDocument>();
    for (const sample of samples) {
      const place = placeOfSample(sample);
      if (!firstOfSlot.has(place)) firstOfSlot.set(place, documentOf(sample));
    }
    const documents = [...firstOfSlot.values()];
    const inserted = await this.connection.atomically(async (session) => {
      await addProvenance(session);
      const added = await this.insert(documents, session);
      await this.counters.add(added as unknown as Sample[], session);
      return added.length;
    });
    return { inserted, duplicates: samples.length - inserted };
  }

  override markNoisy(slots: readonly Slot[], reason: string): Promise<number> {
    return this.connection.atomically(async (session) => {
      const found = await this.inOrBeside(slots, session);
      const good = slots.flatMap((slot) => {
        const sample = found.get(slotOf(slot));
        return sample?.outcome === 'ok' ? [sample] : [];
      });
      if (good.length === 0) return 0;
      const noisy = good.map((sample) => asNoisy(sample, reason));
      await this.collection.bulkWrite(
        noisy.map((sample) => {
          const document = documentOf(sample);
          return { replaceOne: { filter: { _id: document._id }, replacement: document } };
        }),
        { ordered: false, ...(session && { session }) },
      );
      await this.counters.add(good, session, -1);
      await this.counters.add(noisy, session);
      return good.length;
    });
  }

  /** Without transactions, a crash can leave a sample in both places. The next call corrects that. */
  override setAside(slots: readonly Slot[], which: SetAside): Promise<number> {
    return this.connection.atomically(async (session) => {
      const found = await this.inOrBeside(slots, session);
      const moves = slots.flatMap((slot) => moveOf(slot, found, which));
      const copies = moves.flatMap(({ copy }) => (copy === null ? [] : [documentOf(copy)]));
      const gone = moves.map(({ sample }) => sample);
      const added = await this.insert(copies, session);
      if (gone.length > 0) {
        const options = session && { session };
        await this.collection.deleteMany({ _id: { $in: gone.map(slotOf) } }, options);
      }
      await this.counters.add(gone, session, -1);
      await this.counters.add(added as unknown as Sample[], session);
      return gone.length;
    });
  }

  override counts(campaignId: string): Promise<OutcomeCounts> {
    return this.connection.attempt(() => this.counters.counts(campaignId));
  }

  override batchCounts(campaignId: string): AsyncIterable<BatchCount> {
    return withStoreErrors(this.connection, this.counters.batchCounts(campaignId));
  }

  override list(filter: SampleFilter, page: PageQuery): Promise<Page<Sample>> {
    return this.connection.attempt(async () => {
      const after = page.cursor === undefined ? null : await this.placeOf(page.cursor);
      const found = await findAfter(this.collection, sampleOrder(filter), after, page.limit + 1);
      return pageFrom('samples', found.map(sampleOf), page.limit);
    });
  }

  override async *stream(filter: SampleFilter): AsyncIterable<Sample> {
    const order = sampleOrder(filter);
    let after: Place | null = null;
    for (;;) {
      const start: Place | null = after;
      const page: SampleDocument[] = await this.connection.attempt(() =>
        findAfter(this.collection, order, start, STREAM_PAGE),
      );
      for (const document of page) {
        const sample = sampleOf(document);
        after = { at: new Date(sample.recordedAt), id: sample.id };
        yield sample;
      }
      if (page.length < STREAM_PAGE) return;
    }
  }

  override get(id: string): Promise<Sample | null> {
    return this.connection.attempt(async () => {
      const found = await this.find(id);
      return found === null ? null : sampleOf(found);
    });
  }

  override provenance(id: string): Promise<Provenance | null> {
    return this.connection.attempt(() => this.provenances.get(id));
  }

  override provenanceRecords(): AsyncIterable<[id: string, record: Provenance]> {
    return withStoreErrors(this.connection, this.provenances.all());
  }

  override countByDevice(since: string, campaignId: string): Promise<ReadonlyMap<string | null, number>> {
    return this.connection.attempt(async () => {
      const groups = this.collection.aggregate<{ _id: string | null; count: number }>(
        [
          { $match: { ...whereEqual({ campaignId }), recordedOn: { $gte: new Date(since) } } },
          { $group: { _id: '$deviceId', count: { $sum: 1 } } },
        ],
        { hint: 'by_campaign', maxTimeMS: MAX_TIME_MS },
      );
      return new Map((await groups.toArray()).map(({ _id, count }) => [_id, count]));
    });
  }

  override countBetween(from: string, to: string): Promise<number> {
    return this.connection.attempt(() =>
      this.collection.countDocuments(
        { recordedOn: { $gte: new Date(from), $lt: new Date(to) } },
        { hint: 'by_time', maxTimeMS: MAX_TIME_MS },
      ),
    );
  }

  /** Stores the samples whose slots are free, and returns them. */
  private async insert(
    documents: SampleDocument[],
    session: ClientSession | undefined,
  ): Promise<SampleDocument[]> {
    if (documents.length === 0) return [];
    if (session === undefined) {
      try {
        await this.collection.insertMany(documents, { ordered: false });
        return documents;
      } catch (error) {
        const taken = duplicatesIn(error);
        return documents.filter((_, index) => !taken.has(index));
      }
    }
    // An insertion into an occupied slot would abort the transaction, so occupied slots are searched first.
    const taken = await this.collection
      .find(
        { _id: { $in: documents.map(({ _id }) => _id) } },
        { session, projection: { _id: 1 }, maxTimeMS: MAX_TIME_MS },
      )
      .toArray();
    const takenIds = new Set(taken.map(({ _id }) => _id));
    const free = documents.filter(({ _id }) => !takenIds.has(_id));
    if (free.length > 0) await this.collection.insertMany(free, { ordered: false, session });
    return free;
  }

  /** Returns the samples of these slots by their places. */
  private async inOrBeside(
    slots: readonly Slot[],
    session: ClientSession | undefined,
  ): Promise<Map<string, Sample>> {
    const places = slots.flatMap((slot) => [slotOf(slot), ...NUMBERS.map((n) => besideSlot(slot, n))]);
    const options = { projection: { recordedOn: 0, failure: 0 }, maxTimeMS: MAX_TIME_MS };
    const documents = await this.collection
      .find({ _id: { $in: places } }, { ...options, ...(session && { session }) })
      .toArray();
    return new Map(
      documents.map((document) => {
        const { _id, ...sample } = sampleOf(document) as Sample & { _id: string };
        return [_id, sample];
      }),
    );
  }

  private find(id: string): Promise<SampleDocument | null> {
    const options = { projection: SAMPLE_FIELDS, maxTimeMS: MAX_TIME_MS };
    return this.collection.findOne({ id: { $eq: id } }, options);
  }

  private async placeOf(cursor: string): Promise<Place> {
    const found = await this.find(decodeCursor('samples', cursor));
    if (found === null) throw badCursor('samples');
    return { at: new Date(sampleOf(found).recordedAt), id: found.id };
  }
}

const NUMBERS = Array.from({ length: MAX_SET_ASIDE }, (_, index) => index + 1);

/**
 * Returns the sample of a slot if it must leave the slot, and its drifted copy for a set-aside place. The copy is null
 * when it is already stored.
 */
function moveOf(
  slot: Slot,
  found: ReadonlyMap<string, Sample>,
  { deviceId, startedBefore, reason }: SetAside,
): { sample: Sample; copy: Sample | null }[] {
  const sample = found.get(slotOf(slot));
  if (sample?.outcome !== 'ok' || sample.deviceId !== deviceId || sample.startedAt >= startedBefore)
    return [];
  const beside = NUMBERS.flatMap((n) => found.get(besideSlot(slot, n)) ?? []);
  if (beside.some(({ startedAt }) => startedAt === sample.startedAt)) return [{ sample, copy: null }];
  if (beside.length >= MAX_SET_ASIDE) return [];
  return [{ sample, copy: asDrifted(sample, beside.length + 1, reason) }];
}
