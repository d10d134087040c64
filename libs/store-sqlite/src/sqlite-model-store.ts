import type { Model, Page, PageQuery } from '@alphaflops/contracts';
import { ModelStore, type ModelDraft, type ModelFilter } from '@alphaflops/store';
import type { Connection, SqlValue } from './connection.js';
import { newestFirst } from './lists.js';

export class SqliteModelStore extends ModelStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  override publish(draft: ModelDraft): Promise<Model> {
    const fit = [draft.campaignId, draft.data.digest, draft.chosenForm];
    return this.connection.write(() => {
      // A campaign_id of null equals nothing, so a fit without a campaign finds nothing here.
      const published = this.find(
        'SELECT doc FROM models WHERE campaign_id = ? AND data_digest = ? AND form = ?',
        fit,
      );
      if (published !== null) return published;
      const version = (this.findLatest(draft.deviceClassId)?.version ?? 0) + 1;
      const model = { ...draft, id: `${draft.deviceClassId}-v${version}`, version };
      this.connection.run(
        'INSERT INTO models (id, device_class_id, version, campaign_id, data_digest, form, created_at, doc) ' +
          'VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        [model.id, model.deviceClassId, version, ...fit, Date.parse(model.createdAt), JSON.stringify(model)],
      );
      return model;
    });
  }

  override get(id: string): Promise<Model | null> {
    return this.connection.read(() => this.find('SELECT doc FROM models WHERE id = ?', [id]));
  }

  override latest(deviceClassId: string): Promise<Model | null> {
    return this.connection.read(() => this.findLatest(deviceClassId));
  }

  override list(filter: ModelFilter, page: PageQuery): Promise<Page<Model>> {
    const columns = { device_class_id: filter.deviceClassId };
    return this.connection.read(() => newestFirst<Model>(this.connection, 'models', columns, page));
  }

  private findLatest(deviceClassId: string): Model | null {
    return this.find('SELECT doc FROM models WHERE device_class_id = ? ORDER BY version DESC LIMIT 1', [
      deviceClassId,
    ]);
  }

  private find(sql: string, values: readonly SqlValue[]): Model | null {
    return (this.connection.documents(sql, values)[0] ?? null) as Model | null;
  }
}
