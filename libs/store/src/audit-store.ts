import type { AuditEntry, Page, PageQuery } from '@alphaflops/contracts';

/** Who did what. Entries are added and read, never changed. */
export abstract class AuditStore {
  /** Adds an entry. An entry whose id is already stored is not changed. */
  abstract append(entry: AuditEntry): Promise<void>;

  /** Newest first. */
  abstract list(page: PageQuery): Promise<Page<AuditEntry>>;
}
