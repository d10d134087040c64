import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  OUTCOMES,
  type Outcome,
  type OutcomeCounts,
  type Page,
  type PageQuery,
  type Provenance,
  type Sample,
} from '@alphaflops/contracts';
import {
  pageFrom,
  SampleStore,
  type BatchCount,
  type RecordOutcome,
  type SampleFilter,
} from '@alphaflops/store';
import type { Connection } from './connection.js';
import { placeOf } from './lists.js';
import { putProvenance } from './provenance.js';
import { SampleQuery, type Place } from './sample-query.js';
import { INSERT_SAMPLE, rowOf, sampleOf } from './sample-row.js';

/** Rows read at a time by a stream: a few milliseconds of the event loop, and no transaction between two pages. */
const STREAM_PAGE_ROWS = 200;
const BATCH_COUNT_PAGE_ROWS = 1000;
const PROVENANCE_PAGE_ROWS = 100;

export class SqliteSampleStore extends SampleStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  /** Throws `StoreError('already-exists')` when an id is taken by a sample of another slot. */
  override record(
    samples: readonly Sample[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<RecordOutcome> {
    return this.connection.write(() => {
      putProvenance(this.connection, provenance);
      const outcomes = new Tally<[campaignId: string, outcome: Outcome]>();
      const batches = new Tally<[campaignId: string, targetId: string, batchIndex: number]>();
      let inserted = 0;
      for (const sample of samples) {
        if (this.connection.run(INSERT_SAMPLE, rowOf(sample)) === 0) continue;
        inserted += 1;
        outcomes.add([sample.campaignId, sample.outcome]);
        batches.add([sample.campaignId, sample.targetId, sample.batchIndex]);
      }
      for (const [key, count] of outcomes.entries()) {
        this.connection.run(
          'INSERT INTO outcome_counts (campaign_id, outcome, recorded) VALUES (?, ?, ?) ' +
            'ON CONFLICT (campaign_id, outcome) DO UPDATE SET recorded = recorded + excluded.recorded',
          [...key, count],
        );
      }
      for (const [key, count] of batches.entries()) {
        this.connection.run(
          'INSERT INTO batch_counts (campaign_id, target_id, batch_index, recorded) VALUES (?, ?, ?, ?) ' +
            'ON CONFLICT (campaign_id, target_id, batch_index) DO UPDATE SET recorded = recorded + excluded.recorded',
          [...key, count],
        );
      }
      return { inserted, duplicates: samples.length - inserted };
    });
  }

  override counts(campaignId: string): Promise<OutcomeCounts> {
    return this.connection.read(() => {
      const rows = this.connection.rows(
        'SELECT outcome, recorded FROM outcome_counts WHERE campaign_id = ?',
        [campaignId],
      );
      const recorded = new Map(rows.map(([outcome, count]) => [outcome, Number(count)]));
      return Object.fromEntries(OUTCOMES.map((o) => [o, recorded.get(o) ?? 0])) as OutcomeCounts;
    });
  }

  override async *batchCounts(campaignId: string): AsyncIterable<BatchCount> {
    let last: BatchCount = { targetId: '', batchIndex: -1, recorded: 0 };
    for (;;) {
      const { targetId, batchIndex } = last;
      const page = await this.connection.read(() => this.batchCountPage(campaignId, targetId, batchIndex));
      yield* page;
      const end = page.at(-1);
      if (end === undefined || page.length < BATCH_COUNT_PAGE_ROWS) return;
      last = end;
      await nextTurn();
    }
  }

  override list(filter: SampleFilter, page: PageQuery): Promise<Page<Sample>> {
    return this.connection.read(() => {
      const after = page.cursor === undefined ? null : this.placeOfCursor(page.cursor);
      const found = this.find(new SampleQuery(filter), after, page.limit + 1);
      return pageFrom('samples', found, page.limit);
    });
  }

  override async *stream(filter: SampleFilter): AsyncIterable<Sample> {
    const query = new SampleQuery(filter);
    let after: Place | null = null;
    for (;;) {
      const start: Place | null = after;
      const page: Sample[] = await this.connection.read(() => this.find(query, start, STREAM_PAGE_ROWS));
      // The place is taken first: the reader may change the samples that it is given.
      const last = page.at(-1);
      after = last === undefined ? null : { recordedAtMs: Date.parse(last.recordedAt), id: last.id };
      yield* page;
      if (page.length < STREAM_PAGE_ROWS) return;
      await nextTurn();
    }
  }

  override get(id: string): Promise<Sample | null> {
    return this.connection.read(() => {
      const row = this.connection.rows('SELECT doc, batch_times FROM samples WHERE id = ?', [id])[0];
      return row === undefined ? null : sampleOf(this.connection.parse(row[0]), row[1]);
    });
  }

  override provenance(id: string): Promise<Provenance | null> {
    return this.connection.read(() => {
      const found = this.connection.documents('SELECT doc FROM provenance WHERE id = ?', [id]);
      return (found[0] ?? null) as Provenance | null;
    });
  }

  override async *provenanceRecords(): AsyncIterable<[id: string, record: Provenance]> {
    for (let after = ''; ;) {
      const start = after;
      const page = await this.connection.read(() => this.provenanceAfter(start));
      for (const record of page) {
        after = record[0];
        yield record;
      }
      if (page.length < PROVENANCE_PAGE_ROWS) return;
    }
  }

  override countSince(since: string, campaignId?: string): Promise<number> {
    const sinceMs = Date.parse(since);
    return this.connection.read(() => {
      const rows =
        campaignId === undefined
          ? this.connection.rows('SELECT count(*) FROM samples WHERE recorded_at >= ?', [sinceMs])
          : this.connection.rows('SELECT count(*) FROM samples WHERE campaign_id = ? AND recorded_at >= ?', [
              campaignId,
              sinceMs,
            ]);
      return Number(rows[0]?.[0]);
    });
  }

  private find(query: SampleQuery, after: Place | null, limit: number): Sample[] {
    const rows = this.connection.rows(...query.page(after, limit));
    return rows.map(([doc, batchTimes]) => sampleOf(this.connection.parse(doc), batchTimes));
  }

  private provenanceAfter(id: string): [id: string, record: Provenance][] {
    const rows = this.connection.rows('SELECT id, doc FROM provenance WHERE id > ? ORDER BY id LIMIT ?', [
      id,
      PROVENANCE_PAGE_ROWS,
    ]);
    return rows.map(([found, doc]) => [String(found), this.connection.parse(doc) as Provenance]);
  }

  private placeOfCursor(cursor: string): Place {
    const sql = 'SELECT recorded_at, id FROM samples WHERE id = ?';
    const [recordedAtMs, id] = placeOf(this.connection, sql, 'samples', cursor);
    return { recordedAtMs: Number(recordedAtMs), id: String(id) };
  }

  private batchCountPage(campaignId: string, afterTarget: string, afterIndex: number): BatchCount[] {
    const rows = this.connection.rows(
      'SELECT target_id, batch_index, recorded FROM batch_counts WHERE campaign_id = ? ' +
        'AND (target_id, batch_index) > (?, ?) ORDER BY target_id, batch_index LIMIT ?',
      [campaignId, afterTarget, afterIndex, BATCH_COUNT_PAGE_ROWS],
    );
    return rows.map(([targetId, batchIndex, recorded]) => ({
      targetId: String(targetId),
      batchIndex: Number(batchIndex),
      recorded: Number(recorded),
    }));
  }
}

/** How often each key was added. */
class Tally<K extends readonly (string | number)[]> {
  private readonly counts = new Map<string, { key: K; count: number }>();

  add(key: K): void {
    const name = key.join(' ');
    const known = this.counts.get(name);
    if (known === undefined) this.counts.set(name, { key, count: 1 });
    else known.count += 1;
  }

  entries(): [K, number][] {
    return [...this.counts.values()].map(({ key, count }) => [key, count]);
  }
}
