import type { Model, ModelStatus, Page, PageQuery } from '@alphaflops/contracts';

/** A model that is about to be published: the store gives id and version. */
export type ModelDraft = Omit<Model, 'id' | 'version' | 'deviceClassId'> & { deviceClassId: string };

export interface ModelFilter {
  deviceClassId?: string | undefined;
}

/** Models of all classes. Never removed, and never changed but for their status. */
export abstract class ModelStore {
  /**
   * Stores under the next version of the device class (1, 2, …), atomically, with `id = <deviceClassId>-v<version>` and
   * the status of the draft. Publishing again for the same non-null `campaignId` with the same data digest and form
   * returns the model that is there: a fit job that ran twice publishes once.
   * @param fitId of a fit without a campaign: publishing again for the same one returns the model that is there,
   * whatever comes with it
   */
  abstract publish(draft: ModelDraft, fitId?: string): Promise<Model>;

  abstract get(id: string): Promise<Model | null>;

  /** The newest one of the class with status `published`. */
  abstract served(deviceClassId: string): Promise<Model | null>;

  /** Only its id, for callers that already have the model: documents have hundreds of kilobytes. */
  abstract servedId(deviceClassId: string): Promise<string | null>;

  /** Changes the status, and nothing else. Throws `StoreError('not-found')` when there is no such model. */
  abstract setStatus(id: string, status: ModelStatus, reason: string): Promise<Model>;

  /** Newest first. */
  abstract list(filter: ModelFilter, page: PageQuery): Promise<Page<Model>>;
}

/** For adapters: a model as it was stored, perhaps before there was a status; all of those were served. */
export function storedModel(stored: Omit<Model, 'status' | 'statusReason'> & Partial<Model>): Model {
  return { ...stored, status: stored.status ?? 'published', statusReason: stored.statusReason ?? null };
}
