import type { Model, ModelStatus, Page, PageQuery } from '@alphaflops/contracts';
import { digestOf } from '@alphaflops/provenance';
import { ModelStore, storedModel, StoreError, type ModelDraft, type ModelFilter } from '@alphaflops/store';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { isDuplicateKey } from './mongo-error.js';
import { newestFirst } from './pages.js';
import { Records } from './records.js';

/** More than the number of fits that end at the same time in practice. */
const MAX_ATTEMPTS = 1000;

export class MongoModelStore extends ModelStore {
  private readonly models: Records<Model>;

  constructor(private readonly connection: Connection) {
    super();
    this.models = new Records<Model>(connection, 'models', (model) => ({
      deviceClassId: model.deviceClassId,
      version: model.version,
      status: model.status,
      createdOn: new Date(model.createdAt),
    }));
  }

  /** Versions are unique in the database. If two processes publish the same version, the second one uses the next number. */
  override publish(draft: ModelDraft, fitId?: string): Promise<Model> {
    return this.connection.attempt(async () => {
      const fit = fitOf(draft, fitId);
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const published = fit === null ? null : await this.models.findOne({ fit: { $eq: fit } });
        if (published !== null) return storedModel(published);
        const version = ((await this.newest(draft.deviceClassId))?.version ?? 0) + 1;
        const id = `${draft.deviceClassId}-v${version}`;
        const model = storedModel({ ...draft, id, version });
        try {
          await this.models.insert(id, model, { fit: fit ?? `model ${id}` });
          return model;
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
      }
      throw new StoreError(
        'unavailable',
        `Too many models of ${draft.deviceClassId} are published at the same time. Try again.`,
      );
    });
  }

  override get(id: string): Promise<Model | null> {
    return this.connection.attempt(async () => orNull(await this.models.get(id)));
  }

  override served(deviceClassId: string): Promise<Model | null> {
    return this.connection.attempt(async () => orNull(await this.newest(deviceClassId, SERVED)));
  }

  override servedId(deviceClassId: string): Promise<string | null> {
    return this.connection.attempt(async () => {
      const options = { ...NEWEST, projection: { _id: 1 }, maxTimeMS: MAX_TIME_MS };
      const filter = { deviceClassId: { $eq: deviceClassId }, ...SERVED };
      return (await this.models.collection.findOne(filter, options))?._id ?? null;
    });
  }

  override setStatus(id: string, status: ModelStatus, reason: string): Promise<Model> {
    return this.connection.attempt(async () => {
      const change = (before: Model) => ({ ...before, status, statusReason: reason });
      const model = await this.models.change(id, change);
      if (model === null) throw new StoreError('not-found', `There is no model ${JSON.stringify(id)}.`);
      return model;
    });
  }

  override list({ deviceClassId }: ModelFilter, page: PageQuery): Promise<Page<Model>> {
    const index = deviceClassId === undefined ? 'newest' : 'by_class';
    return this.connection.attempt(async () => {
      const { items, nextCursor } = await newestFirst(this.models, { deviceClassId }, index, page);
      return { items: items.map(storedModel), nextCursor };
    });
  }

  private newest(deviceClassId: string, filter = {}): Promise<Model | null> {
    return this.models.findOne({ deviceClassId: { $eq: deviceClassId }, ...filter }, NEWEST);
  }
}

const NEWEST = { sort: { version: -1 }, hint: 'by_version' } as const;
/** The status null belongs to models that were stored before models had a status. */
const SERVED = { status: { $in: [null, 'published'] } };

const orNull = (model: Model | null): Model | null => (model === null ? null : storedModel(model));

/**
 * Returns a key that is equal for the same fit of the same campaign, and for the same fit id without a campaign.
 * Returns null for a draft without a campaign and without a fit id, which equals no other draft.
 */
function fitOf({ campaignId, data, chosenForm }: ModelDraft, fitId: string | undefined): string | null {
  if (campaignId !== null) return `fit ${digestOf([campaignId, data.digest, chosenForm])}`;
  return fitId === undefined ? null : `fit ${digestOf([fitId])}`;
}
