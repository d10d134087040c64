import { CampaignRequestSchema } from '@alphaflops/contracts';
import fc from 'fast-check';
import { batchCount, plannedBatch } from './batches.js';

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

it('puts every slot of a campaign into exactly one batch', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 4 }),
      (specs, size, replicates) => {
        const campaign = layout(specs, size, replicates);
        const slots: string[] = [];
        for (let index = 0; index < batchCount(campaign); index += 1) {
          const { specIndexes, replicate, batchIndex } = plannedBatch(campaign, index);
          expect(batchIndex).toBe(index);
          expect(specIndexes.length).toBeGreaterThan(0);
          expect(specIndexes.length).toBeLessThanOrEqual(size);
          for (const spec of specIndexes) slots.push(`${replicate}/${spec}`);
        }
        const all = Array.from({ length: replicates }, (_, r) =>
          Array.from({ length: specs }, (_unused, s) => `${r}/${s}`),
        ).flat();
        expect(slots).toEqual(all);
      },
    ),
  );
});

it('divides further rounds without a change of the batches of earlier rounds', () => {
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
          return Array.from({ length: batchCount(campaign) }, (_, index) => plannedBatch(campaign, index));
        };
        const all = batchesAfter(ends.length);
        for (let round = 1; round < ends.length; round += 1) {
          const before = batchesAfter(round);
          expect(all.slice(0, before.length)).toEqual(before);
        }
        const slots = all.flatMap(({ specIndexes, replicate }) =>
          specIndexes.map((spec) => `${replicate}/${spec}`),
        );
        expect(new Set(slots).size).toBe(slots.length);
        expect(slots).toHaveLength((ends.at(-1) ?? 0) * replicates);
      },
    ),
  );
});

it('gives the batches of shapes that are visited again the last numbers', () => {
  const campaign = {
    ...layout(5, 2, 1),
    repeats: {
      specIndexes: [0, 2, 4],
      revisits: [
        { replicate: 1, deviceId: 'device-a', specIndexes: [0, 2, 4] },
        { replicate: 2, deviceId: 'device-b', specIndexes: [2] },
      ],
    },
  };
  expect(batchCount(campaign)).toBe(6);
  const again = [3, 4, 5].map((index) => plannedBatch(campaign, index));
  expect(again).toEqual([
    { batchIndex: 3, replicate: 1, specIndexes: [0, 2], deviceId: 'device-a' },
    { batchIndex: 4, replicate: 1, specIndexes: [4], deviceId: 'device-a' },
    { batchIndex: 5, replicate: 2, specIndexes: [2], deviceId: 'device-b' },
  ]);
});

it('numbers shapes that are visited again between rounds in the order of the plan', () => {
  const first = { specIndexes: [0, 1], revisits: [] };
  const visits = { specIndexes: [0, 1], replicate: 1, deviceId: 'device-a', afterRound: 2 };
  const stages = [
    { ...layout(4, 2, 1), rounds: { testSpecs: 0, ends: [2, 4], storedSpecs: 9 } },
    {
      ...layout(4, 2, 1),
      rounds: { testSpecs: 0, ends: [2, 4], storedSpecs: 9 },
      repeats: { ...first, revisits: [visits] },
    },
    {
      ...layout(9, 2, 1),
      rounds: { testSpecs: 0, ends: [2, 4, 9], storedSpecs: 9 },
      repeats: {
        specIndexes: [0, 1, 3],
        revisits: [visits, { specIndexes: [3], replicate: 1, deviceId: null, afterRound: 3 }],
      },
    },
  ].map((campaign) =>
    Array.from({ length: batchCount(campaign) }, (_, index) => plannedBatch(campaign, index)),
  );
  expect(stages[1]?.slice(0, 2)).toEqual(stages[0]);
  expect(stages[2]?.slice(0, 3)).toEqual(stages[1]);
  expect(stages[2]?.map(({ specIndexes, replicate }) => ({ specIndexes, replicate }))).toEqual([
    { specIndexes: [0, 1], replicate: 0 },
    { specIndexes: [2, 3], replicate: 0 },
    { specIndexes: [0, 1], replicate: 1 },
    { specIndexes: [4, 5], replicate: 0 },
    { specIndexes: [6, 7], replicate: 0 },
    { specIndexes: [8], replicate: 0 },
    { specIndexes: [3], replicate: 1 },
  ]);
});
