import type { Dataset, Page, PageQuery } from '@alphaflops/contracts';
import { DatasetStore, expectAllParts, type DatasetDraft } from '@alphaflops/store';
import type { Connection } from './connection.js';
import { newestFirst } from './lists.js';

export class SqliteDatasetStore extends DatasetStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  override putPart(draftId: string, index: number, bytes: Uint8Array): Promise<void> {
    return this.connection.write(() => {
      this.connection.run(
        'INSERT INTO dataset_parts (draft_id, position, written_at, bytes) VALUES (?, ?, ?, ?) ' +
          'ON CONFLICT (draft_id, position) DO UPDATE SET written_at = excluded.written_at, bytes = excluded.bytes',
        [draftId, index, Date.now(), bytes],
      );
    });
  }

  override seal(draftId: string, parts: number, draft: DatasetDraft): Promise<Dataset> {
    return this.connection.write(() => {
      const present = this.find(draft.id);
      if (present !== null) {
        this.removeDraft(draftId);
        return present;
      }
      const [count] = this.connection.rows('SELECT count(*) FROM dataset_parts WHERE draft_id = ?', [
        draftId,
      ]);
      expectAllParts(draftId, parts, Number(count?.[0]));
      const [last] = this.connection.rows('SELECT max(version) FROM datasets WHERE name = ?', [draft.name]);
      const dataset = { ...draft, version: Number(last?.[0] ?? 0) + 1 };
      this.connection.run(
        'INSERT INTO datasets (id, draft_id, name, version, created_at, doc) VALUES (?, ?, ?, ?, ?, ?)',
        [
          ...[dataset.id, draftId, dataset.name, dataset.version],
          ...[Date.parse(dataset.createdAt), JSON.stringify(dataset)],
        ],
      );
      return dataset;
    });
  }

  override discard(draftId: string): Promise<void> {
    return this.connection.write(() => {
      this.removeDraft(draftId);
    });
  }

  override discardBefore(before: string): Promise<void> {
    return this.connection.write(() => {
      const drafts = this.connection.rows(
        'SELECT draft_id FROM dataset_parts WHERE draft_id NOT IN (SELECT draft_id FROM datasets) ' +
          'GROUP BY draft_id HAVING max(written_at) < ?',
        [Date.parse(before)],
      );
      for (const [draftId] of drafts) this.removeDraft(String(draftId));
    });
  }

  override get(id: string): Promise<Dataset | null> {
    return this.connection.read(() => this.find(id));
  }

  override list(page: PageQuery): Promise<Page<Dataset>> {
    return this.connection.read(() => newestFirst<Dataset>(this.connection, 'datasets', {}, page));
  }

  override async *parts(id: string): AsyncIterable<Uint8Array> {
    for (let position = 0; ; position++) {
      const at = position;
      const bytes = await this.connection.read(() => this.part(id, at));
      if (bytes === null) return;
      yield bytes;
    }
  }

  private part(id: string, position: number): Uint8Array | null {
    const sql =
      'SELECT bytes FROM dataset_parts WHERE draft_id = (SELECT draft_id FROM datasets WHERE id = ?) AND position = ?';
    const bytes = this.connection.rows(sql, [id, position])[0]?.[0];
    return bytes instanceof Uint8Array ? bytes : null;
  }

  private find(id: string): Dataset | null {
    const [found] = this.connection.documents('SELECT doc FROM datasets WHERE id = ?', [id]) as Dataset[];
    return found ?? null;
  }

  private removeDraft(draftId: string): void {
    this.connection.run(
      'DELETE FROM dataset_parts WHERE draft_id = ? AND draft_id NOT IN (SELECT draft_id FROM datasets)',
      [draftId],
    );
  }
}
