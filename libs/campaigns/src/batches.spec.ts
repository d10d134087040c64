import { CampaignRequestSchema } from '@alphaflops/contracts';
import fc from 'fast-check';
import { batchCount, batchRange } from './batches.js';

const layout = (plannedSpecs: number, batchSize: number, replicates: number) => ({
  plannedSpecs,
  batchSize,
  request: CampaignRequestSchema.parse({
    name: 'x',
    design: { name: 'random' },
    target: { kind: 'device-class', deviceClassId: 'c' },
    budget: { specs: plannedSpecs },
    replicates,
  }),
});

it('cuts every slot of a campaign into exactly one batch', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 4 }),
      (specs, size, replicates) => {
        const campaign = layout(specs, size, replicates);
        const slots: string[] = [];
        for (let index = 0; index < batchCount(campaign); index += 1) {
          const { from, to, replicate, batchIndex } = batchRange(campaign, index);
          expect(batchIndex).toBe(index);
          expect(to - from).toBeGreaterThan(0);
          expect(to - from).toBeLessThanOrEqual(size);
          for (let spec = from; spec < to; spec += 1) slots.push(`${replicate}/${spec}`);
        }
        const all = Array.from({ length: replicates }, (_, r) =>
          Array.from({ length: specs }, (_unused, s) => `${r}/${s}`),
        ).flat();
        expect(slots).toEqual(all);
      },
    ),
  );
});

it('cuts further rounds without touching the batches of those before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 3 }),
      (sizes, batchSize, replicates) => {
        const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((a, b) => a + b));
        const batchesAfter = (round: number) => {
          const planned = ends.slice(0, round);
          const campaign = {
            ...layout(planned.at(-1) ?? 0, batchSize, replicates),
            rounds: { testSpecs: 0, ends: planned },
          };
          return Array.from({ length: batchCount(campaign) }, (_, index) => batchRange(campaign, index));
        };
        const all = batchesAfter(ends.length);
        for (let round = 1; round < ends.length; round += 1) {
          const before = batchesAfter(round);
          expect(all.slice(0, before.length)).toEqual(before);
        }
        const slots = all.flatMap(({ from, to, replicate }) =>
          Array.from({ length: to - from }, (_, i) => `${replicate}/${from + i}`),
        );
        expect(new Set(slots).size).toBe(slots.length);
        expect(slots).toHaveLength((ends.at(-1) ?? 0) * replicates);
      },
    ),
  );
});
