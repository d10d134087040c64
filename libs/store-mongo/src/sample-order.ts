import type { SampleFilter } from '@alphaflops/store';
import { whereEqual, type TimeOrder } from './pages.js';
import { SAMPLE_FIELDS } from './sample-document.js';

/**
 * Returns the order of list and stream under a filter, and the index to use. The planner does not choose the index: we
 * use the index of the most selective filter. The entries of each index are in this order, so the server does not sort
 * pages. The server checks the other filters on each document.
 */
export function sampleOrder(filter: SampleFilter): TimeOrder {
  const { campaignId, deviceId, workerId, deviceClassId, outcome, recordedFrom, recordedTo } = filter;
  const failure = outcome === 'ok' ? undefined : outcome;
  return {
    equal: whereEqual({
      campaignId,
      deviceId,
      workerId,
      deviceClassId,
      ...(failure === undefined ? { outcome } : { failure }),
    }),
    at: 'recordedOn',
    id: 'id',
    direction: 1,
    projection: SAMPLE_FIELDS,
    index: indexFor(filter),
    from: recordedFrom === undefined ? undefined : new Date(recordedFrom),
    to: recordedTo === undefined ? undefined : new Date(recordedTo),
  };
}

function indexFor(filter: SampleFilter): string {
  if (filter.campaignId !== undefined) return 'by_campaign';
  if (filter.deviceId !== undefined) return 'by_device';
  if (filter.workerId !== undefined) return 'by_worker';
  if (filter.outcome !== undefined && filter.outcome !== 'ok') return 'failed';
  if (filter.deviceClassId !== undefined) return 'by_class';
  return 'by_time';
}
