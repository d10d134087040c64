import type { AuditEntry, Page, PageQuery } from '@alphaflops/contracts';

/** Who did what. Entries are added and read, never changed. */
export abstract class AuditStore {
  /** Adds an entry; one whose id is there already is left as it is. */
  abstract append(entry: AuditEntry): Promise<void>;

  /** Newest first. */
  abstract list(page: PageQuery): Promise<Page<AuditEntry>>;
}
