import { type Campaign, CampaignRequestSchema, type Sample } from '@alphaflops/contracts';
import { protocolNamed } from '@alphaflops/measure';
import type { SampleStore, Slot } from '@alphaflops/store';
import { Repeats } from './repeats.js';
import { sampleId } from './samples.js';

const at = (second: number) => new Date(1_700_000_000_000 + 1000 * second).toISOString();

function campaignOf(specs: number, more: Partial<Campaign> = {}, request: object = {}): Campaign {
  return {
    id: 'c-1',
    targetIds: ['class-a'],
    protocol: protocolNamed('cpu'),
    plannedSpecs: specs,
    plannedSlots: specs,
    request: CampaignRequestSchema.parse({
      name: 'x',
      design: { name: 'random' },
      target: { kind: 'device-class', deviceClassId: 'class-a' },
      budget: { specs },
      repeats: 0.5,
      ...request,
    }),
    ...more,
  } as unknown as Campaign;
}

/** A store with the measured time of each slot; null if the sample is not ok. */
class Measured {
  readonly samples = new Map<string, Sample>();
  readonly noisy: [specIndex: number, replicate: number, reason: string][] = [];

  add(specIndex: number, replicate: number, timeMs: number | null, deviceId = 'device-a'): void {
    const slot = { campaignId: 'c-1', targetId: 'class-a', specIndex, replicate };
    const outcome = timeMs === null ? 'noisy' : 'ok';
    const timing = timeMs === null ? null : { timeMs };
    const startedAt = at(100 * replicate + specIndex);
    const sample = { ...slot, outcome, timing, deviceId, startedAt };
    this.samples.set(sampleId(slot), sample as unknown as Sample);
  }

  get repeats(): Repeats {
    const port: Pick<SampleStore, 'get' | 'markNoisy'> = {
      get: (id) => Promise.resolve(this.samples.get(id) ?? null),
      markNoisy: (slots: readonly Slot[], reason) => {
        for (const { specIndex, replicate } of slots) this.noisy.push([specIndex, replicate, reason]);
        return Promise.resolve(slots.length);
      },
    };
    return new Repeats(port as SampleStore);
  }
}

it('visits evenly chosen shapes again, each on its device, but no shape that cannot be measured', async () => {
  const measured = new Measured();
  for (let i = 0; i < 8; i++) measured.add(i, 0, i === 2 ? null : 1, i < 4 ? 'device-a' : 'device-b');
  const next = await measured.repeats.next(campaignOf(8));
  expect(next).toMatchObject({
    plannedSlots: 12,
    repeats: {
      specIndexes: [0, 3, 4, 6],
      revisits: [
        { replicate: 1, deviceId: 'device-a', specIndexes: [0, 3] },
        { replicate: 1, deviceId: 'device-b', specIndexes: [4, 6] },
      ],
    },
  });
});

it('plans no visits if none are requested, or if nothing could be measured', async () => {
  const measured = new Measured();
  for (let i = 0; i < 8; i++) measured.add(i, 0, null);
  expect(await measured.repeats.next(campaignOf(8))).toBeNull();
  for (let i = 0; i < 8; i++) measured.add(i, 0, 1);
  expect(await measured.repeats.next(campaignOf(8, {}, { repeats: 0 }))).toBeNull();
});

it('counts replicates by the same device as visits', async () => {
  const measured = new Measured();
  for (let i = 0; i < 4; i++) for (let r = 0; r < 2; r++) measured.add(i, r, 1 + r / 100);
  const campaign = campaignOf(4, {}, { replicates: 2 });
  const next = await measured.repeats.next(campaign);
  expect(next).toMatchObject({ plannedSlots: 4, repeats: { specIndexes: [0, 2], revisits: [] } });
  const planned = { ...campaign, ...next };
  expect(await measured.repeats.next(planned)).toBeNull();
  expect(await measured.repeats.noiseFloor(planned)).toMatchObject({ shapes: 2 });
});

const second = { replicate: 1, deviceId: 'device-a', specIndexes: [0, 1, 2] };
const visited = campaignOf(3, { plannedSlots: 6, repeats: { specIndexes: [0, 1, 2], revisits: [second] } });

it('visits a shape a third time if two visits disagree, and compares all visits', async () => {
  const measured = new Measured();
  for (let i = 0; i < 3; i++) measured.add(i, 0, 1);
  measured.add(0, 1, 1.02);
  measured.add(1, 1, 1.5);
  measured.add(2, 1, 1.5);
  const next = await measured.repeats.next(visited);
  const third = { replicate: 2, deviceId: 'device-a', specIndexes: [1, 2] };
  expect(next).toMatchObject({ plannedSlots: 8, repeats: { revisits: [second, third] } });

  const planned = { ...visited, ...next };
  measured.add(1, 2, 1.01);
  measured.add(2, 2, 2);
  expect(await measured.repeats.next(planned)).toBeNull();
  const floor = await measured.repeats.noiseFloor(planned);
  expect(floor?.shapes).toBe(3);
  expect(floor?.medianLogRatio).toBeCloseTo(Math.log(1.5), 12);
  await measured.repeats.markNoisy(planned);
  expect(measured.noisy.map(([spec, replicate]) => [spec, replicate])).toEqual([
    [1, 1],
    [2, 0],
    [2, 1],
    [2, 2],
  ]);
  expect(measured.noisy[1]?.[2]).toContain('1.000 ms, 1.500 ms, 2.000 ms');
});

it('does not compare visits of different devices', async () => {
  const measured = new Measured();
  for (let i = 0; i < 3; i++) measured.add(i, 0, 1);
  for (let i = 0; i < 3; i++) measured.add(i, 1, 2, 'device-b');
  expect(await measured.repeats.next(visited)).toBeNull();
  expect(await measured.repeats.noiseFloor(visited)).toBeNull();
  await measured.repeats.markNoisy(visited);
  expect(measured.noisy).toEqual([]);
});
