import type { PageQuery } from '@alphaflops/contracts';
import type { DatasetStore } from '../dataset-store.js';
import { encodeCursor } from '../paging.js';
import { buildDatasetDraft, timeAt } from './builders.js';
import { collect, collectPages, expectBadCursorsRefused, HOSTILE_STRINGS, nearMisses } from './collect.js';

export function describeDatasetStore(datasets: () => DatasetStore): void {
  const bytes = (text: string) => Buffer.from(text);
  const partsOf = async (id: string) =>
    (await collect(datasets().parts(id))).map((part) => Buffer.from(part).toString());

  describe('data sets', () => {
    it('become visible when they are sealed, with all their parts in order', async () => {
      const draft = buildDatasetDraft();
      for (const index of [0, 1, 2]) await datasets().putPart('draft-a', index, bytes(`part ${index}`));
      await datasets().putPart('draft-a', 1, bytes('part 1, again'));
      expect(await datasets().get(draft.id)).toBeNull();
      expect(await partsOf(draft.id)).toEqual([]);
      expect((await datasets().list({ limit: 5 })).items).toEqual([]);
      const sealed = await datasets().seal('draft-a', 3, draft);
      expect(sealed).toEqual({ ...draft, version: 1 });
      expect(await datasets().get(draft.id)).toEqual(sealed);
      expect(await partsOf(draft.id)).toEqual(['part 0', 'part 1, again', 'part 2']);
      for (const text of [...HOSTILE_STRINGS, ...nearMisses(draft.id)]) {
        expect(await datasets().get(text)).toBeNull();
        expect(await partsOf(text)).toEqual([]);
      }
    });

    it('store bytes of every value', async () => {
      const all = Uint8Array.from({ length: 70_000 }, (_, i) => i * 31);
      await datasets().putPart('draft-a', 0, all);
      const { id } = await datasets().seal('draft-a', 1, buildDatasetDraft());
      const [part] = await collect(datasets().parts(id));
      expect(Buffer.from(part ?? []).equals(Buffer.from(all))).toBe(true);
    });

    it('are not sealed when a part is missing', async () => {
      await datasets().putPart('draft-a', 0, bytes('one'));
      const sealing = datasets().seal('draft-a', 2, buildDatasetDraft());
      await expect(sealing).rejects.toMatchObject({ name: 'StoreError', code: 'conflict' });
      expect((await datasets().list({ limit: 5 })).items).toEqual([]);
    });

    it('do not change when the same content is sealed again', async () => {
      await datasets().putPart('draft-a', 0, bytes('first'));
      await datasets().putPart('draft-b', 0, bytes('second'));
      const draft = buildDatasetDraft();
      const first = await datasets().seal('draft-a', 1, draft);
      expect(await datasets().seal('draft-b', 1, { ...draft, title: 'another' })).toEqual(first);
      expect(await partsOf(draft.id)).toEqual(['first']);
      // The second draft is removed and cannot be sealed.
      const other = buildDatasetDraft();
      await expect(datasets().seal('draft-b', 1, other)).rejects.toMatchObject({ code: 'conflict' });
    });

    it('have version numbers without gaps for each name, also when many are sealed at the same time', async () => {
      const sealed = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          await datasets().putPart(`draft-${i}`, 0, bytes(String(i)));
          return datasets().seal(`draft-${i}`, 1, buildDatasetDraft());
        }),
      );
      const versions = sealed.map(({ version }) => version).sort((a, b) => a - b);
      expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      await datasets().putPart('draft-z', 0, bytes('z'));
      const other = await datasets().seal('draft-z', 1, buildDatasetDraft({ name: 'other' }));
      expect(other.version).toBe(1);
    });

    it('lose discarded drafts, and keep everything that is sealed', async () => {
      const draft = buildDatasetDraft();
      for (const id of ['draft-a', 'draft-b', 'draft-c']) await datasets().putPart(id, 0, bytes(id));
      await datasets().seal('draft-a', 1, draft);
      await datasets().discard('draft-a');
      await datasets().discard('draft-b');
      expect(await partsOf(draft.id)).toEqual(['draft-a']);
      await expect(datasets().seal('draft-b', 1, buildDatasetDraft())).rejects.toMatchObject({
        code: 'conflict',
      });
      await datasets().discardBefore('2000-01-01T00:00:00.000Z');
      await datasets().seal('draft-c', 1, buildDatasetDraft());
      await datasets().putPart('draft-d', 0, bytes('draft-d'));
      await datasets().discardBefore('2200-01-01T00:00:00.000Z');
      expect(await partsOf(draft.id)).toEqual(['draft-a']);
      await expect(datasets().seal('draft-d', 1, buildDatasetDraft())).rejects.toMatchObject({
        code: 'conflict',
      });
    });

    it('are listed newest first', async () => {
      for (let i = 0; i < 7; i++) {
        await datasets().putPart(`draft-${i}`, 0, bytes(String(i)));
        await datasets().seal(
          `draft-${i}`,
          1,
          buildDatasetDraft({ createdAt: timeAt(i * 500), rows: i + 1 }),
        );
      }
      const list = (page: PageQuery) => datasets().list(page);
      expect((await collectPages(list, 3)).map(({ rows }) => rows)).toEqual([7, 6, 5, 4, 3, 2, 1]);
      await expectBadCursorsRefused(list, encodeCursor('elsewhere', 'x'));
    });
  });
}
