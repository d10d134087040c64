import type { Model, Page, PageQuery } from '@alphaflops/contracts';

/** A model that is about to be published: the store gives id and version. */
export type ModelDraft = Omit<Model, 'id' | 'version' | 'deviceClassId'> & { deviceClassId: string };

export interface ModelFilter {
  deviceClassId?: string | undefined;
}

/** Published models. Never changed, never removed. */
export abstract class ModelStore {
  /**
   * Publishes under the next version of the device class (1, 2, …), atomically, with
   * `id = <deviceClassId>-v<version>`. Publishing again for the same non-null `campaignId` with the same data digest
   * and form returns the model that is there: a fit job that ran twice publishes once.
   */
  abstract publish(draft: ModelDraft): Promise<Model>;

  abstract get(id: string): Promise<Model | null>;

  abstract latest(deviceClassId: string): Promise<Model | null>;

  /** Newest first. */
  abstract list(filter: ModelFilter, page: PageQuery): Promise<Page<Model>>;
}
