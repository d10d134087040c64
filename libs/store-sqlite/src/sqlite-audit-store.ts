import type { AuditEntry, Page, PageQuery } from '@alphaflops/contracts';
import { AuditStore } from '@alphaflops/store';
import type { Connection } from './connection.js';
import { newestFirst } from './lists.js';

export class SqliteAuditStore extends AuditStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  override append(entry: AuditEntry): Promise<void> {
    return this.connection.write(() => {
      this.connection.run(
        'INSERT INTO audit (id, created_at, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
        [entry.id, Date.parse(entry.at), JSON.stringify(entry)],
      );
    });
  }

  override list(page: PageQuery): Promise<Page<AuditEntry>> {
    return this.connection.read(() => newestFirst<AuditEntry>(this.connection, 'audit', {}, page));
  }
}
