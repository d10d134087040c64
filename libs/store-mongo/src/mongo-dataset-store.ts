import type { Dataset, Page, PageQuery } from '@alphaflops/contracts';
import { DatasetStore, expectAllParts, StoreError, type DatasetDraft } from '@alphaflops/store';
import { Binary, type Document } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { isDuplicateKey } from './mongo-error.js';
import { newestFirst } from './pages.js';
import { Records } from './records.js';
import { withStoreErrors } from './with-store-errors.js';

interface PartDocument extends Document {
  /** The draft id and the position. */
  _id: string;
  draftId: string;
  position: number;
  writtenOn: Date;
  bytes: Binary;
}

/** A data set with the id of the draft that its parts belong to. */
interface Sealed {
  readonly id: string;
  readonly draftId: string;
  readonly dataset: Dataset;
}

/** More than the number of data sets that are sealed at the same time in practice. */
const MAX_ATTEMPTS = 1000;

export class MongoDatasetStore extends DatasetStore {
  private readonly datasets: Records<Sealed>;
  private readonly partDocuments;

  constructor(private readonly connection: Connection) {
    super();
    this.datasets = new Records<Sealed>(connection, 'datasets', ({ draftId, dataset }) => ({
      ...{ name: dataset.name, version: dataset.version, draftId },
      createdOn: new Date(dataset.createdAt),
    }));
    this.partDocuments = connection.collection<PartDocument>('dataset_parts');
  }

  override putPart(draftId: string, position: number, bytes: Uint8Array): Promise<void> {
    const part = { draftId, position, writtenOn: new Date(), bytes: new Binary(bytes) };
    return this.connection.attempt(async () => {
      await this.partDocuments.updateOne(
        { _id: { $eq: `${draftId}/${position}` } },
        { $set: part },
        { upsert: true },
      );
    });
  }

  /** Inserts the record, one document that makes all parts visible. Versions are unique in the database. */
  override seal(draftId: string, parts: number, draft: DatasetDraft): Promise<Dataset> {
    return this.connection.attempt(async () => {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const present = await this.datasets.get(draft.id);
        if (present !== null) {
          await this.removeDraft(draftId);
          return present.dataset;
        }
        const count = await this.partDocuments.countDocuments({ draftId: { $eq: draftId } });
        expectAllParts(draftId, parts, count);
        const newest = await this.datasets.findOne(
          { name: { $eq: draft.name } },
          { sort: { version: -1 }, hint: 'by_version' },
        );
        const dataset = { ...draft, version: (newest?.dataset.version ?? 0) + 1 };
        try {
          await this.datasets.insert(draft.id, { id: draft.id, draftId, dataset });
          return dataset;
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
      }
      throw new StoreError(
        'unavailable',
        `Too many data sets ${draft.name} are created at the same time. Try again.`,
      );
    });
  }

  override discard(draftId: string): Promise<void> {
    return this.connection.attempt(() => this.removeDraft(draftId));
  }

  override discardBefore(before: string): Promise<void> {
    return this.connection.attempt(async () => {
      const limit = new Date(before);
      // Two simple queries, because not every compatible server has accumulators such as $max.
      const begun = await this.partDocuments.distinct('draftId', { writtenOn: { $lt: limit } });
      for (const draftId of begun) {
        const later = await this.partDocuments.findOne(
          { draftId: { $eq: draftId }, writtenOn: { $gte: limit } },
          { projection: { _id: 1 }, maxTimeMS: MAX_TIME_MS },
        );
        if (later === null) await this.removeDraft(draftId);
      }
    });
  }

  override get(id: string): Promise<Dataset | null> {
    return this.connection.attempt(async () => {
      const found = await this.datasets.get(id);
      return found?.dataset ?? null;
    });
  }

  override list(page: PageQuery): Promise<Page<Dataset>> {
    return this.connection.attempt(async () => {
      const { items, nextCursor } = await newestFirst(this.datasets, {}, 'newest', page);
      return { items: items.map(({ dataset }) => dataset), nextCursor };
    });
  }

  override parts(id: string): AsyncIterable<Uint8Array> {
    return withStoreErrors(this.connection, this.partsOf(id));
  }

  private async *partsOf(id: string): AsyncIterable<Uint8Array> {
    const sealed = await this.datasets.get(id);
    if (sealed === null) return;
    for (let position = 0; ; position++) {
      const key = `${sealed.draftId}/${position}`;
      const part = await this.partDocuments.findOne({ _id: { $eq: key } }, { maxTimeMS: MAX_TIME_MS });
      if (part === null) return;
      yield part.bytes.buffer;
    }
  }

  private async removeDraft(draftId: string): Promise<void> {
    const isSealed =
      (await this.datasets.findOne({ draftId: { $eq: draftId } }, { hint: 'by_draft' })) !== null;
    if (!isSealed) await this.partDocuments.deleteMany({ draftId: { $eq: draftId } });
  }
}
