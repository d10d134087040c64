import type { PageQuery } from '@alphaflops/contracts';
import type { ModelStore } from '../model-store.js';
import { encodeCursor } from '../paging.js';
import { buildModelDraft, timeAt } from './builders.js';
import { collectPages, expectBadCursorsRefused, HOSTILE_STRINGS, nearMisses } from './collect.js';

export function describeModelStore(models: () => ModelStore): void {
  const digest = (letter: string) => ({ ...buildModelDraft().data, digest: letter.repeat(64) });

  describe('models', () => {
    it('publishes under the next version of the class', async () => {
      const draft = buildModelDraft();
      const first = await models().publish(draft);
      expect(first).toEqual({ ...draft, id: 'class-a-v1', version: 1 });
      expect(await models().get('class-a-v1')).toEqual(first);
      const second = await models().publish(buildModelDraft({ seed: 8 }));
      expect(second).toMatchObject({ id: 'class-a-v2', version: 2, seed: 8 });
      expect(await models().publish(buildModelDraft({ deviceClassId: 'class-b' }))).toMatchObject({
        id: 'class-b-v1',
        version: 1,
      });
      expect(await models().served('class-a')).toEqual(second);
      expect(await models().servedId('class-a')).toBe('class-a-v2');
      expect(await models().get('class-a-v1')).toEqual(first);
    });

    it('returns null for a model that was not published', async () => {
      const { id } = await models().publish(buildModelDraft());
      for (const text of [...HOSTILE_STRINGS, ...nearMisses(id ?? '')]) {
        expect(await models().get(text)).toBeNull();
        expect(await models().served(text)).toBeNull();
        expect(await models().servedId(text)).toBeNull();
        expect((await models().list({ deviceClassId: text }, { limit: 5 })).items).toEqual([]);
      }
    });

    it('assigns version numbers without gaps when many publish at the same time', async () => {
      const published = await Promise.all(
        Array.from({ length: 12 }, (_, seed) => models().publish(buildModelDraft({ seed }))),
      );
      const versions = published.map((m) => m.version).sort((a, b) => Number(a) - Number(b));
      expect(versions).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
      for (const model of published) {
        expect(model.id).toBe(`class-a-v${String(model.version)}`);
        expect(await models().get(model.id ?? '')).toEqual(model);
      }
      expect((await models().served('class-a'))?.version).toBe(12);
    });

    it('publishes the same fit of the same campaign once', async () => {
      const draft = buildModelDraft({ campaignId: 'campaign-a', data: digest('a') });
      const first = await models().publish(draft);
      await models().publish(buildModelDraft());
      const again = await Promise.all(
        [1, 2, 3].map((i) => models().publish({ ...draft, createdAt: timeAt(i), notes: ['ran again'] })),
      );
      for (const model of again) expect(model).toEqual(first);
      const others = [{ campaignId: 'campaign-b' }, { data: digest('b') }, { chosenForm: 'alpha-latency' }];
      for (const [i, other] of others.entries()) {
        expect((await models().publish({ ...draft, ...other })).version).toBe(i + 3);
      }
    });

    it('publishes a fit without a campaign once, also when the second draft differs', async () => {
      const first = await models().publish(buildModelDraft(), 'fit-a');
      await models().setStatus(first.id ?? '', 'retired', 'bad');
      const again = await models().publish(buildModelDraft({ data: digest('b'), seed: 8 }), 'fit-a');
      expect(again).toEqual({ ...first, status: 'retired', statusReason: 'bad' });
      expect((await models().publish(buildModelDraft(), 'fit-b')).version).toBe(2);
      expect((await models().publish(buildModelDraft())).version).toBe(3);
    });

    it.each([{ campaignId: 'campaign-a' }, {}])(
      'publishes the same fit once when it ends twice at the same time',
      async (of) => {
        const draft = buildModelDraft(of);
        const published = await Promise.all(
          Array.from({ length: 8 }, () => models().publish(draft, 'fit-a')),
        );
        for (const model of published) expect(model).toEqual(published[0]);
        expect((await models().list({}, { limit: 5 })).items).toEqual(published.slice(0, 1));
      },
    );

    it('publishes a fit without a campaign and without an id every time', async () => {
      await models().publish(buildModelDraft());
      expect((await models().publish(buildModelDraft())).version).toBe(2);
    });

    it('serves the newest published model, and counts candidates in the version numbers', async () => {
      const first = await models().publish(buildModelDraft());
      const reason = 'worse: median error 9.1 % against 7.0 %';
      const worse = { status: 'candidate', statusReason: reason } as const;
      const candidate = await models().publish(buildModelDraft({ ...worse, seed: 8 }));
      expect(candidate).toMatchObject({ id: 'class-a-v2', ...worse });
      expect(await models().served('class-a')).toEqual(first);
      expect(await models().get('class-a-v2')).toEqual(candidate);
      const third = await models().publish(buildModelDraft({ seed: 9 }));
      expect(third.version).toBe(3);
      expect(await models().served('class-a')).toEqual(third);

      const retired = { ...third, status: 'retired', statusReason: 'broken fan' };
      expect(await models().setStatus('class-a-v3', 'retired', 'broken fan')).toEqual(retired);
      expect(await models().served('class-a')).toEqual(first);
      await models().setStatus('class-a-v2', 'published', 'rare shapes count less here');
      expect((await models().served('class-a'))?.id).toBe('class-a-v2');
      const listed = await models().list({ deviceClassId: 'class-a' }, { limit: 5 });
      expect(listed.items.map(({ status }) => status).sort()).toEqual(['published', 'published', 'retired']);
      expect(await models().get('class-a-v3')).toEqual(retired);
      for (const id of ['class-a-v1', 'class-a-v2']) await models().setStatus(id, 'retired', 'all of them');
      expect(await models().served('class-a')).toBeNull();
      expect(await models().servedId('class-a')).toBeNull();
      expect((await models().publish(buildModelDraft())).version).toBe(4);
    });

    it('refuses to change the status of a model that does not exist', async () => {
      const { id } = await models().publish(buildModelDraft());
      for (const text of [...HOSTILE_STRINGS, ...nearMisses(id ?? '')]) {
        const change = models().setStatus(text, 'retired', 'gone');
        await expect(change).rejects.toMatchObject({ name: 'StoreError', code: 'not-found' });
      }
      expect((await models().get(id ?? ''))?.status).toBe('published');
    });

    it('lists the models of all classes or of one class, newest first', async () => {
      for (let i = 0; i < 9; i++) {
        const deviceClassId = i % 3 === 0 ? 'class-b' : 'class-a';
        await models().publish(buildModelDraft({ deviceClassId, createdAt: timeAt(i * 500), seed: i }));
      }
      const list = (page: PageQuery) => models().list({}, page);
      expect((await collectPages(list, 4)).map((m) => m.seed)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
      const ofClass = (page: PageQuery) => models().list({ deviceClassId: 'class-b' }, page);
      expect((await collectPages(ofClass, 2)).map((m) => m.seed)).toEqual([6, 3, 0]);
    });

    it('pages over equal times without a gap or a repetition while models are published', async () => {
      for (let seed = 0; seed < 11; seed++) await models().publish(buildModelDraft({ seed }));
      const list = (page: PageQuery) => models().list({}, page);
      const first = await collectPages(list, 100);
      let later = 1;
      const paged = await collectPages(list, 3, async () => {
        await models().publish(buildModelDraft({ seed: 99, createdAt: timeAt(later++) }));
      });
      expect(paged).toEqual(first);
      expect(new Set(paged.map((m) => m.id)).size).toBe(11);
      await expectBadCursorsRefused(list, encodeCursor('elsewhere', 'class-a-v1'));
    });
  });
}
