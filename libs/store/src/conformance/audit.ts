import { randomUUID } from 'node:crypto';
import { type AuditEntry, AuditEntrySchema } from '@alphaflops/contracts';
import type { AuditStore } from '../audit-store.js';
import { timeAt } from './builders.js';
import { HOSTILE_STRINGS } from './collect.js';

export function buildAuditEntry(overrides: Partial<AuditEntry> = {}): AuditEntry {
  return AuditEntrySchema.parse({
    id: `audit-${randomUUID()}`,
    at: timeAt(0),
    actor: { kind: 'operator', tokenId: 'token-a', name: 'Zoë “α”' },
    action: 'campaigns.create',
    targetId: 'campaign-a',
    status: 202,
    requestId: 'r-1',
    address: '127.0.0.1',
    ...overrides,
  });
}

export function describeAuditStore(audit: () => AuditStore): void {
  describe('audit log', () => {
    it('lists every entry, newest first, page by page', async () => {
      const entries = Array.from({ length: 7 }, (_, i) =>
        buildAuditEntry({ at: timeAt(i), action: HOSTILE_STRINGS[i] ?? 'workers.revoke' }),
      );
      for (const entry of entries) await audit().append(entry);
      const seen: AuditEntry[] = [];
      let cursor: string | undefined;
      do {
        const page = await audit().list({ limit: 3, cursor });
        seen.push(...page.items);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(entries.toReversed());
    });

    it('never changes an entry', async () => {
      const entry = buildAuditEntry();
      await audit().append(entry);
      await audit().append({ ...entry, action: 'nothing.at-all' });
      expect((await audit().list({ limit: 9 })).items).toEqual([entry]);
    });

    it('refuses a cursor that it did not issue', async () => {
      const refused = audit().list({ limit: 9, cursor: 'invented' });
      await expect(refused).rejects.toMatchObject({ name: 'StoreError', code: 'bad-cursor' });
    });
  });
}
