import type { AuditEntry, Page, PageQuery } from '@alphaflops/contracts';
import { AuditStore } from '@alphaflops/store';
import type { Connection } from './connection.js';
import { isDuplicateKey } from './mongo-error.js';
import { newestFirst } from './pages.js';
import { Records } from './records.js';

export class MongoAuditStore extends AuditStore {
  private readonly entries: Records<AuditEntry>;

  constructor(private readonly connection: Connection) {
    super();
    this.entries = new Records<AuditEntry>(connection, 'audit', ({ at }) => ({ createdOn: new Date(at) }));
  }

  override append(entry: AuditEntry): Promise<void> {
    return this.connection.attempt(async () => {
      try {
        await this.entries.insert(entry.id, entry);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    });
  }

  override list(page: PageQuery): Promise<Page<AuditEntry>> {
    return this.connection.attempt(() => newestFirst(this.entries, {}, 'newest', page));
  }
}
