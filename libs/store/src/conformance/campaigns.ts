import type { Campaign, PageQuery } from '@alphaflops/contracts';
import type { CampaignStore } from '../campaign-store.js';
import { encodeCursor } from '../paging.js';
import { buildCampaign, buildSpec, timeAt } from './builders.js';
import { collectPages, expectBadCursorsRefused, HOSTILE_STRINGS, nearMisses } from './collect.js';

export function describeCampaignStore(campaigns: () => CampaignStore): void {
  describe('campaigns', () => {
    it('returns a created campaign, and null for an unknown id', async () => {
      const campaign = buildCampaign({ name: 'Zoë’s “α” \u0000 {"$gt":""}' });
      await campaigns().create(campaign);
      expect(await campaigns().get(campaign.id)).toEqual(campaign);
      for (const id of [...HOSTILE_STRINGS, ...nearMisses(campaign.id)]) {
        expect(await campaigns().get(id)).toBeNull();
      }
    });

    it('refuses an id that is in use and keeps the first campaign', async () => {
      const campaign = buildCampaign();
      await campaigns().create(campaign);
      await expect(campaigns().create({ ...campaign, name: 'second' })).rejects.toMatchObject({
        code: 'already-exists',
      });
      expect(await campaigns().get(campaign.id)).toEqual(campaign);
    });

    describe('list', () => {
      const list = (page: PageQuery) => campaigns().list({}, page);

      it('is newest first, ordered by instant and not by text', async () => {
        const times = [
          '2026-03-01T12:00:00Z',
          '2026-03-01T12:00:00.500Z',
          '2026-03-01T12:00:01Z',
          '2026-02-28T23:59:59.999Z',
        ];
        for (const createdAt of times) await campaigns().create(buildCampaign({ createdAt }));
        const found = (await list({ limit: 10 })).items.map((c) => c.createdAt);
        expect(found).toEqual([times[2], times[1], times[0], times[3]]);
      });

      it('pages over equal times without a gap or a repetition while campaigns are added', async () => {
        const ids = new Set<string>();
        for (let i = 0; i < 11; i++) {
          const campaign = buildCampaign({ createdAt: timeAt(i < 8 ? 0 : -1) });
          ids.add(campaign.id);
          await campaigns().create(campaign);
        }
        const first = await collectPages(list, 100);
        let later = 1;
        const paged = await collectPages(list, 3, () =>
          campaigns().create(buildCampaign({ createdAt: timeAt(later++) })),
        );
        expect(paged).toEqual(first);
        expect(new Set(paged.map((c) => c.id))).toEqual(ids);
      });

      it('has no cursor on a full last page', async () => {
        await campaigns().create(buildCampaign());
        await campaigns().create(buildCampaign());
        expect((await list({ limit: 2 })).nextCursor).toBeNull();
        expect(await campaigns().list({ state: 'failed' }, { limit: 2 })).toEqual({
          items: [],
          nextCursor: null,
        });
      });

      it('filters by state and device class, alone and together', async () => {
        const all: Campaign[] = [];
        for (const state of ['draft', 'running', 'completed'] as const) {
          for (const deviceClassId of ['class-a', 'class-b']) {
            for (let i = 0; i < 3; i++) {
              const campaign = buildCampaign({ state, deviceClassId, createdAt: timeAt(all.length) });
              all.push(campaign);
              await campaigns().create(campaign);
            }
          }
        }
        for (const state of [undefined, 'draft', 'running', 'paused'] as const) {
          for (const deviceClassId of [undefined, 'class-a', 'class-c', ...HOSTILE_STRINGS]) {
            const found = await collectPages((page) => campaigns().list({ state, deviceClassId }, page), 2);
            const expected = all.filter(
              (c) =>
                (state === undefined || c.state === state) &&
                (deviceClassId === undefined || c.deviceClassId === deviceClassId),
            );
            expect(found).toEqual(expected.toReversed());
          }
        }
      });

      it('refuses a cursor that it did not issue', async () => {
        await campaigns().create(buildCampaign());
        await expectBadCursorsRefused(list, encodeCursor('elsewhere', 'campaign-a'));
      });
    });

    describe('transition', () => {
      it('changes the state, keeps the history and applies the patch', async () => {
        const campaign = buildCampaign();
        await campaigns().create(campaign);
        const planned = { state: 'planned', at: timeAt(10), reason: '150 specs' } as const;
        const patch = {
          plannedSpecs: 150,
          plannedSlots: 300,
          excluded: { 'too large': 2 },
          targetIds: ['d-1'],
        };
        const expected = {
          ...campaign,
          ...patch,
          state: 'planned',
          history: [...campaign.history, planned],
          updatedAt: planned.at,
        };
        expect(await campaigns().transition(campaign.id, 'draft', planned, patch)).toEqual(expected);
        expect(await campaigns().get(campaign.id)).toEqual(expected);
        expect((await campaigns().list({ state: 'planned' }, { limit: 5 })).items).toEqual([expected]);
        expect((await campaigns().list({ state: 'draft' }, { limit: 5 })).items).toEqual([]);
      });

      it('refuses a change from a state that is not the present one, and an unknown campaign', async () => {
        const campaign = buildCampaign({ state: 'running' });
        await campaigns().create(campaign);
        const change = { state: 'cancelled', at: timeAt(1), reason: 'requested' } as const;
        await expect(campaigns().transition(campaign.id, 'paused', change)).rejects.toMatchObject({
          code: 'conflict',
        });
        expect(await campaigns().get(campaign.id)).toEqual(campaign);
        for (const id of ['campaign-nowhere', ...HOSTILE_STRINGS]) {
          await expect(campaigns().transition(id, 'running', change)).rejects.toMatchObject({
            code: 'not-found',
          });
        }
      });

      it('plans a further round once, and keeps it when a late caller plans it again', async () => {
        const campaign = buildCampaign({ state: 'running', plannedSpecs: 10, plannedSlots: 10 });
        await campaigns().create(campaign);
        const from = { state: 'running', plannedSlots: 10 } as const;
        const change = { state: 'running', at: timeAt(1), reason: 'round 2' } as const;
        const rounds = { testSpecs: 2, ends: [10, 15] };
        const patch = { plannedSpecs: 15, plannedSlots: 15, rounds };
        const after = await campaigns().transition(campaign.id, from, change, patch);
        expect(after).toMatchObject({ ...patch, state: 'running' });
        await expect(campaigns().transition(campaign.id, from, change, patch)).rejects.toMatchObject({
          code: 'conflict',
        });
        expect(await campaigns().get(campaign.id)).toEqual(after);
      });

      it('lets exactly one of two racing callers win', async () => {
        for (let round = 0; round < 10; round++) {
          const campaign = buildCampaign({ state: 'running' });
          await campaigns().create(campaign);
          const results = await Promise.allSettled([
            campaigns().transition(campaign.id, 'running', { state: 'paused', at: timeAt(1), reason: 'a' }),
            campaigns().transition(campaign.id, 'running', { state: 'fitting', at: timeAt(1), reason: 'b' }),
          ]);
          const won = results.filter((r) => r.status === 'fulfilled').map((r) => r.value);
          const lost = results.filter((r) => r.status === 'rejected').map((r): unknown => r.reason);
          expect(won).toHaveLength(1);
          expect(lost).toMatchObject([{ name: 'StoreError', code: 'conflict' }]);
          expect(await campaigns().get(campaign.id)).toEqual(won[0]);
          expect(won[0]?.history).toHaveLength(2);
        }
      });
    });

    describe('specs', () => {
      const specs = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => buildSpec(from + i));

      it('returns planned specs by position, in order', async () => {
        const { id } = buildCampaign();
        await campaigns().putSpecs(id, 100, specs(100, 250));
        await campaigns().putSpecs(id, 0, specs(0, 100));
        await campaigns().putSpecs('campaign-other', 0, specs(7, 9));
        expect(await campaigns().specs(id, 0, 250)).toEqual(specs(0, 250));
        expect(await campaigns().specs(id, 90, 110)).toEqual(specs(90, 110));
        expect(await campaigns().specs(id, 240, 1000)).toEqual(specs(240, 250));
        expect(await campaigns().specs(id, 250, 300)).toEqual([]);
        expect(await campaigns().specs(id, 5, 5)).toEqual([]);
        for (const hostile of HOSTILE_STRINGS) expect(await campaigns().specs(hostile, 0, 10)).toEqual([]);
      });

      it('accepts the same specs again, also in part and at the same time', async () => {
        const { id } = buildCampaign();
        await campaigns().putSpecs(id, 0, specs(0, 10));
        await Promise.all([
          campaigns().putSpecs(id, 0, specs(0, 20)),
          campaigns().putSpecs(id, 5, specs(5, 30)),
          campaigns().putSpecs(id, 0, []),
        ]);
        expect(await campaigns().specs(id, 0, 100)).toEqual(specs(0, 30));
      });

      it('keeps the spec of a position when a caller writes another one there', async () => {
        const { id } = buildCampaign();
        await campaigns().putSpecs(id, 0, specs(0, 150));
        const others = [...specs(110, 120), ...specs(0, 1)];
        await expect(campaigns().putSpecs(id, 110, others)).rejects.toMatchObject({
          name: 'StoreError',
          code: 'conflict',
          message: expect.stringContaining('position 120') as string,
        });
        expect(await campaigns().specs(id, 0, 200)).toEqual(specs(0, 150));
      });
    });
  });
}
