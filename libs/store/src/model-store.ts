import type { Model, ModelStatus, Page, PageQuery } from '@alphaflops/contracts';

/** A model that is about to be published. The store assigns the id and the version. */
export type ModelDraft = Omit<Model, 'id' | 'version' | 'deviceClassId'> & { deviceClassId: string };

export interface ModelFilter {
  deviceClassId?: string | undefined;
}

/** Models of all classes. Models are never removed, and only their status changes. */
export abstract class ModelStore {
  /**
   * Stores a model under the next version of the device class (1, 2, …), atomically, with `id =
   * <deviceClassId>-v<version>` and the status of the draft. Publishing again for the same non-null `campaignId` with
   * the same data digest and form returns the stored model, so that a fit job that ran twice publishes once.
   * @param fitId the id of a fit without a campaign. Publishing again with the same id returns the stored model, even
   * if the draft differs
   */
  abstract publish(draft: ModelDraft, fitId?: string): Promise<Model>;

  abstract get(id: string): Promise<Model | null>;

  /** Returns the newest model of the class with status `published`, or null. */
  abstract served(deviceClassId: string): Promise<Model | null>;

  /**
   * Returns only the id of the served model, for callers that already have the model: a model has hundreds of
   * kilobytes.
   */
  abstract servedId(deviceClassId: string): Promise<string | null>;

  /**
   * Changes only the status and its reason.
   * @throws StoreError `not-found` when the model does not exist
   */
  abstract setStatus(id: string, status: ModelStatus, reason: string): Promise<Model>;

  /** Newest first. */
  abstract list(filter: ModelFilter, page: PageQuery): Promise<Page<Model>>;
}

/** For adapters: adds the status to a model that was stored before models had one. All of those models were served. */
export function storedModel(stored: Omit<Model, 'status' | 'statusReason'> & Partial<Model>): Model {
  return { ...stored, status: stored.status ?? 'published', statusReason: stored.statusReason ?? null };
}
