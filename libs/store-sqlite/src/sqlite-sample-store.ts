import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  OUTCOMES,
  type OutcomeCounts,
  type Page,
  type PageQuery,
  type Provenance,
  type Sample,
} from '@alphaflops/contracts';
import {
  asDrifted,
  asNoisy,
  MAX_SET_ASIDE,
  pageFrom,
  SampleStore,
  type BatchCount,
  type RecordOutcome,
  type SampleFilter,
  type SetAside,
  type Slot,
} from '@alphaflops/store';
import type { Connection } from './connection.js';
import { placeOf } from './lists.js';
import { putProvenance } from './provenance.js';
import { SampleQuery, type Place } from './sample-query.js';
import { SampleCounts } from './sample-counts.js';
import { INSERT_SAMPLE, rowOf, SAMPLES_OF_SLOT, sampleOf } from './sample-row.js';

/**
 * Rows per page of a stream. A page blocks the event loop for a few milliseconds. No transaction is open between
 * pages.
 */
const STREAM_PAGE_ROWS = 200;
const BATCH_COUNT_PAGE_ROWS = 1000;
const PROVENANCE_PAGE_ROWS = 100;

export class SqliteSampleStore extends SampleStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  /** @throws StoreError `already-exists` when a sample of another slot has the same id */
  override record(
    samples: readonly Sample[],
    provenance: ReadonlyMap<string, Provenance>,
  ): Promise<RecordOutcome> {
    return this.connection.write(() => {
      putProvenance(this.connection, provenance);
      const counts = new SampleCounts();
      let inserted = 0;
      for (const sample of samples) {
        if (this.connection.run(INSERT_SAMPLE, rowOf(sample)) === 0) continue;
        inserted += 1;
        counts.add(sample, 1);
      }
      counts.write(this.connection);
      return { inserted, duplicates: samples.length - inserted };
    });
  }

  override markNoisy(slots: readonly Slot[], reason: string): Promise<number> {
    return this.connection.write(() => {
      const counts = new SampleCounts();
      let changed = 0;
      for (const { campaignId, targetId, specIndex, replicate } of slots) {
        const [row] = this.connection.rows(SAMPLES_OF_SLOT, [campaignId, targetId, specIndex, replicate]);
        if (row?.[2] !== 0) continue;
        const sample = sampleOf(this.connection.parse(row[0]), row[1]);
        if (sample.outcome !== 'ok') continue;
        this.replace(sample, asNoisy(sample, reason), counts);
        changed += 1;
      }
      counts.write(this.connection);
      return changed;
    });
  }

  override setAside(slots: readonly Slot[], { deviceId, startedBefore, reason }: SetAside): Promise<number> {
    return this.connection.write(() => {
      const counts = new SampleCounts();
      let taken = 0;
      for (const { campaignId, targetId, specIndex, replicate } of slots) {
        const key = [campaignId, targetId, specIndex, replicate];
        const [row, ...before] = this.connection.rows(SAMPLES_OF_SLOT, key);
        if (row?.[2] !== 0 || before.length >= MAX_SET_ASIDE) continue;
        const sample = sampleOf(this.connection.parse(row[0]), row[1]);
        const isMeant = sample.deviceId === deviceId && sample.startedAt < startedBefore;
        if (!isMeant || sample.outcome !== 'ok') continue;
        this.replace(sample, asDrifted(sample, before.length + 1, reason), counts);
        taken += 1;
      }
      counts.write(this.connection);
      return taken;
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
      // Determine the position first: the reader may change the samples that it receives.
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

  override countByDevice(since: string, campaignId: string): Promise<ReadonlyMap<string | null, number>> {
    return this.connection.read(() => {
      // Counted in this process, because GROUP BY would sort the rows first.
      const counts = new Map<string | null, number>();
      for (const [device] of this.connection.rows(
        'SELECT device_id FROM samples WHERE campaign_id = ? AND recorded_at >= ?',
        [campaignId, Date.parse(since)],
      )) {
        counts.set(device as string | null, (counts.get(device as string | null) ?? 0) + 1);
      }
      return counts;
    });
  }

  override countBetween(from: string, to: string): Promise<number> {
    return this.connection.read(() => {
      const [row] = this.connection.rows(
        'SELECT count(*) FROM samples WHERE recorded_at >= ? AND recorded_at < ?',
        [Date.parse(from), Date.parse(to)],
      );
      return Number(row?.[0]);
    });
  }

  private replace(sample: Sample, by: Sample, counts: SampleCounts): void {
    this.connection.run('DELETE FROM samples WHERE id = ?', [sample.id]);
    this.connection.run(INSERT_SAMPLE, rowOf(by));
    counts.add(sample, -1);
    counts.add(by, 1);
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
        'AND (target_id, batch_index) > (?, ?) AND recorded > 0 ORDER BY target_id, batch_index LIMIT ?',
      [campaignId, afterTarget, afterIndex, BATCH_COUNT_PAGE_ROWS],
    );
    return rows.map(([targetId, batchIndex, recorded]) => ({
      targetId: String(targetId),
      batchIndex: Number(batchIndex),
      recorded: Number(recorded),
    }));
  }
}
