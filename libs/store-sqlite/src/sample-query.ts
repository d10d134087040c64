import type { SampleFilter } from '@alphaflops/store';
import type { SqlValue } from './connection.js';
import { whereEqual } from './lists.js';

/** A position in the order of samples: by recordedAt (ms since 1970), then by id. */
export interface Place {
  recordedAtMs: number;
  id: string;
}

/** The earliest moment that a date can hold. */
const FIRST_MS = -8.64e15;

/**
 * The query for one page of the samples that match, after a position. The planner does not choose the index: the query
 * names the index of the most selective filter. The entries of each index are in the order of the list, so SQLite does
 * not sort pages.
 */
export class SampleQuery {
  private readonly sql: string;
  private readonly equal: readonly string[];
  private readonly fromMs: number;
  private readonly toMs: readonly number[];

  constructor(filter: SampleFilter) {
    const where = whereEqual({
      campaign_id: filter.campaignId,
      device_id: filter.deviceId,
      worker_id: filter.workerId,
      device_class_id: filter.deviceClassId,
      outcome: filter.outcome,
    });
    const index = indexFor(filter);
    this.equal = where.values;
    this.fromMs = filter.recordedFrom === undefined ? FIRST_MS : Date.parse(filter.recordedFrom);
    this.toMs = filter.recordedTo === undefined ? [] : [Date.parse(filter.recordedTo)];
    this.sql =
      `SELECT doc, batch_times FROM samples INDEXED BY ${index} WHERE ${where.sql} ` +
      (index === 'samples_failed' ? `outcome <> 'ok' AND ` : '') +
      (this.toMs.length > 0 ? 'recorded_at < ? AND ' : '') +
      '(recorded_at, id) > (?, ?) ORDER BY recorded_at, id LIMIT ?';
  }

  /** Returns the statement and its values. If `after` is null, the page starts at the beginning. */
  page(after: Place | null, limit: number): [sql: string, values: SqlValue[]] {
    const start =
      after !== null && after.recordedAtMs >= this.fromMs
        ? [after.recordedAtMs, after.id]
        : [this.fromMs, ''];
    return [this.sql, [...this.equal, ...this.toMs, ...start, limit]];
  }
}

function indexFor(filter: SampleFilter): string {
  if (filter.campaignId !== undefined) return 'samples_by_campaign';
  if (filter.deviceId !== undefined) return 'samples_by_device';
  if (filter.workerId !== undefined) return 'samples_by_worker';
  if (filter.outcome !== undefined && filter.outcome !== 'ok') return 'samples_failed';
  if (filter.deviceClassId !== undefined) return 'samples_by_class';
  return 'samples_by_time';
}
