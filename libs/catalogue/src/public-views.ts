import type { Dataset, Model, Page } from '@alphaflops/contracts';

/** The public view of a model: without its campaign, and without texts of operators. */
export function publicModel(model: Model): Model {
  return { ...model, campaignId: null, statusReason: null };
}

/** The public view of a data set: without workers, devices, campaigns and provenance records. */
export function publicDataset(dataset: Dataset): Dataset {
  const { deviceClassId, recordedFrom, recordedTo } = dataset.filter;
  const { kernelMaps } = dataset;
  return {
    ...dataset,
    filter: {
      ...(deviceClassId !== undefined && { deviceClassId }),
      ...(recordedFrom !== undefined && { recordedFrom }),
      ...(recordedTo !== undefined && { recordedTo }),
    },
    provenanceIds: [],
    workers: [],
    ...(kernelMaps && { kernelMaps: kernelMaps.map((map) => ({ ...map, workerId: null })) }),
  };
}

/** The same view of each item of a page. */
export function eachItem<T>(view: (item: T) => T): (page: Page<T>) => Page<T> {
  return ({ items, nextCursor }) => ({ items: items.map(view), nextCursor });
}
