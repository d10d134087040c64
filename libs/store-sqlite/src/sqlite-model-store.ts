import type { Model, ModelStatus, Page, PageQuery } from '@alphaflops/contracts';
import { ModelStore, storedModel, StoreError, type ModelDraft, type ModelFilter } from '@alphaflops/store';
import type { Connection, SqlValue } from './connection.js';
import { newestFirst } from './lists.js';

const SERVED = "FROM models WHERE device_class_id = ? AND status = 'published' ORDER BY version DESC LIMIT 1";

export class SqliteModelStore extends ModelStore {
  /**
   * Ids of the served models by device class. Every change clears the cache. No other process can write to the file.
   */
  private readonly servedIds = new Map<string, string>();

  constructor(private readonly connection: Connection) {
    super();
  }

  override publish(draft: ModelDraft, fitId?: string): Promise<Model> {
    const { campaignId } = draft;
    const fit = [campaignId ?? fitId ?? null, draft.data.digest, draft.chosenForm];
    return this.connection.write(() => {
      // In SQL, null equals nothing. A draft without a campaign and without a fit id therefore matches no model here.
      const published =
        campaignId === null
          ? this.find('SELECT doc FROM models WHERE asked_by = ?', fit.slice(0, 1))
          : this.find('SELECT doc FROM models WHERE asked_by = ? AND data_digest = ? AND form = ?', fit);
      if (published !== null) return published;
      this.servedIds.clear();
      const version = this.lastVersion(draft.deviceClassId) + 1;
      const model = storedModel({ ...draft, id: `${draft.deviceClassId}-v${version}`, version });
      this.connection.run(
        'INSERT INTO models (id, device_class_id, version, asked_by, data_digest, form, created_at, status, doc) ' +
          'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        [
          ...[model.id, draft.deviceClassId, version, ...fit],
          ...[Date.parse(model.createdAt), model.status, JSON.stringify(model)],
        ],
      );
      return model;
    });
  }

  override get(id: string): Promise<Model | null> {
    return this.connection.read(() => this.find('SELECT doc FROM models WHERE id = ?', [id]));
  }

  override served(deviceClassId: string): Promise<Model | null> {
    return this.connection.read(() => this.find(`SELECT doc ${SERVED}`, [deviceClassId]));
  }

  override servedId(deviceClassId: string): Promise<string | null> {
    return this.connection.read(() => {
      const known = this.servedIds.get(deviceClassId);
      if (known !== undefined) return known;
      const [found] = this.connection.rows(`SELECT id ${SERVED}`, [deviceClassId]);
      if (found === undefined) return null;
      this.servedIds.set(deviceClassId, String(found[0]));
      return String(found[0]);
    });
  }

  override setStatus(id: string, status: ModelStatus, reason: string): Promise<Model> {
    return this.connection.write(() => {
      const before = this.find('SELECT doc FROM models WHERE id = ?', [id]);
      if (before === null) throw new StoreError('not-found', `There is no model ${JSON.stringify(id)}.`);
      this.servedIds.clear();
      const model: Model = { ...before, status, statusReason: reason };
      this.connection.run('UPDATE models SET status = ?, doc = ? WHERE id = ?', [
        ...[status, JSON.stringify(model), id],
      ]);
      return model;
    });
  }

  override list(filter: ModelFilter, page: PageQuery): Promise<Page<Model>> {
    const columns = { device_class_id: filter.deviceClassId };
    return this.connection.read(() => {
      const { items, nextCursor } = newestFirst<Model>(this.connection, 'models', columns, page);
      return { items: items.map(storedModel), nextCursor };
    });
  }

  /** Returns the last version of a class; 0 for a class without models. */
  private lastVersion(deviceClassId: string): number {
    const sql = 'SELECT version FROM models WHERE device_class_id = ? ORDER BY version DESC LIMIT 1';
    return Number(this.connection.rows(sql, [deviceClassId])[0]?.[0] ?? 0);
  }

  private find(sql: string, values: readonly SqlValue[]): Model | null {
    const [found] = this.connection.documents(sql, values) as Model[];
    return found === undefined ? null : storedModel(found);
  }
}
