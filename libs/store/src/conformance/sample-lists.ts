import type { PageQuery, Sample } from '@alphaflops/contracts';
import { encodeCursor } from '../paging.js';
import type { SampleFilter, SampleStore } from '../sample-store.js';
import { buildBatch, buildProvenance, buildSample, timeAt } from './builders.js';
import { collect, collectPages, expectBadCursorsRefused, HOSTILE_STRINGS } from './collect.js';

const provenance = buildProvenance();
const PROVENANCE = new Map([[provenance.id, provenance.record]]);

/** The order that the port promises. */
function inOrder(samples: readonly Sample[]): Sample[] {
  return samples.toSorted(
    (a, b) => Date.parse(a.recordedAt) - Date.parse(b.recordedAt) || (a.id < b.id ? -1 : 1),
  );
}

/** The filter as the port defines it. */
function matches(filter: SampleFilter, sample: Sample): boolean {
  const { recordedFrom, recordedTo, ...rest } = filter;
  const equal = JSON.parse(JSON.stringify(rest)) as Partial<Sample>;
  const at = Date.parse(sample.recordedAt);
  return (
    Object.entries(equal).every(([key, value]) => value === sample[key as keyof Sample]) &&
    (recordedFrom === undefined || at >= Date.parse(recordedFrom)) &&
    (recordedTo === undefined || at < Date.parse(recordedTo))
  );
}

/** Samples that differ in every field of the filter. Some of them have equal times. */
function mixedSamples(): Sample[] {
  return Array.from({ length: 60 }, (_, i) =>
    buildSample({
      specIndex: i,
      campaignId: `campaign-${'abc'.charAt(i % 3)}`,
      deviceClassId: `class-${'ab'.charAt(i % 2)}`,
      deviceId: `device-${'abcd'.charAt(i % 4)}`,
      workerId: `worker-${'abcde'.charAt(i % 5)}`,
      outcome: i % 7 === 0 ? 'timeout' : 'ok',
      recordedAt: timeAt(Math.floor(i / 10) * 1000),
    }),
  );
}

const FILTERS: SampleFilter[] = [
  {},
  { campaignId: 'campaign-b' },
  { deviceClassId: 'class-b' },
  { deviceId: 'device-c' },
  { workerId: 'worker-d' },
  { outcome: 'ok' },
  { outcome: 'timeout' },
  { outcome: 'wrong-result' },
  { recordedFrom: timeAt(2000) },
  { recordedTo: timeAt(2000) },
  { recordedFrom: timeAt(1000), recordedTo: timeAt(4000) },
  { recordedFrom: timeAt(4000), recordedTo: timeAt(1000) },
  { campaignId: 'campaign-a', outcome: 'timeout' },
  { deviceClassId: 'class-a', outcome: 'ok', recordedFrom: timeAt(1000) },
  { campaignId: 'campaign-c', deviceId: 'device-a', workerId: 'worker-a', recordedTo: timeAt(5000) },
  { workerId: 'worker-b', outcome: 'timeout', recordedFrom: timeAt(0), recordedTo: timeAt(9000) },
  { campaignId: undefined, deviceId: undefined, outcome: undefined },
];

export function describeSampleLists(samples: () => SampleStore): void {
  describe('listing and streaming samples', () => {
    const list = (page: PageQuery) => samples().list({}, page);

    it.each(FILTERS)('applies filter %# %j', async (filter) => {
      const all = mixedSamples();
      await samples().record(all, PROVENANCE);
      const expected = inOrder(all.filter((sample) => matches(filter, sample)));
      expect(await collect(samples().stream(filter))).toEqual(expected);
      for (const limit of [1, 7, 1000]) {
        expect(await collectPages((page) => samples().list(filter, page), limit)).toEqual(expected);
      }
    });

    it('treats hostile strings as plain values that match nothing', async () => {
      await samples().record(mixedSamples(), PROVENANCE);
      for (const text of HOSTILE_STRINGS) {
        for (const field of ['campaignId', 'deviceClassId', 'deviceId', 'workerId'] as const) {
          expect(await samples().list({ [field]: text }, { limit: 5 })).toEqual({
            items: [],
            nextCursor: null,
          });
          expect(await collect(samples().stream({ [field]: text }))).toEqual([]);
        }
      }
      expect(await collect(samples().stream({}))).toHaveLength(60);
    });

    it('orders by instant, not by text', async () => {
      const times = ['12:00:00Z', '12:00:00.250Z', '12:00:01Z', '12:00:01.000Z', '12:00:01.001Z'];
      const all = times.map((time, specIndex) =>
        buildSample({ specIndex, id: `sample-${specIndex}`, recordedAt: `2026-03-01T${time}` }),
      );
      await samples().record(all.toReversed(), PROVENANCE);
      expect(await collect(samples().stream({}))).toEqual(all);
      const counts = await samples().countByDevice('2026-03-01T12:00:00.2Z', 'campaign-a');
      expect([...counts.values()]).toEqual([4]);
    });

    it('pages over equal times without a gap or a repetition while samples are added', async () => {
      const all = inOrder([
        ...buildBatch(20, 0, { recordedAt: timeAt(0) }),
        ...buildBatch(3, 20, { recordedAt: timeAt(1) }),
      ]);
      await samples().record(all, PROVENANCE);
      let added = 100;
      const paged = await collectPages(list, 4, async () => {
        if (added < 110) {
          await samples().record(
            [buildSample({ specIndex: added++, recordedAt: timeAt(added) })],
            PROVENANCE,
          );
        }
      });
      expect(paged.slice(0, all.length)).toEqual(all);
      expect(new Set(paged.map((s) => s.id)).size).toBe(paged.length);
      expect(paged).toEqual(inOrder(paged));
    });

    it('has no cursor on a full last page', async () => {
      await samples().record(buildBatch(6), PROVENANCE);
      const first = await list({ limit: 3 });
      const second = await list({ limit: 3, cursor: first.nextCursor ?? '' });
      expect(second.items).toHaveLength(3);
      expect(second.nextCursor).toBeNull();
    });

    it('refuses a cursor that it did not issue', async () => {
      const sample = buildSample();
      await samples().record([sample], PROVENANCE);
      await expectBadCursorsRefused(list, encodeCursor('elsewhere', sample.id));
    });

    it('streams the existing samples once and in order, while samples are added', async () => {
      const all = inOrder(
        Array.from({ length: 1200 }, (_, i) => buildSample({ specIndex: i, recordedAt: timeAt(i % 5) })),
      );
      await samples().record(all, PROVENANCE);
      const streamed: Sample[] = [];
      for await (const sample of samples().stream({ campaignId: 'campaign-a' })) {
        if (streamed.length % 300 === 0) {
          const specIndex = 5000 + streamed.length;
          await samples().record([buildSample({ specIndex, recordedAt: timeAt(specIndex) })], PROVENANCE);
        }
        streamed.push(sample);
        if (streamed.length === all.length) break;
      }
      expect(streamed).toEqual(all);
    });

    it('answers other calls between the samples of a stream, and after a stream that the reader left early', async () => {
      await samples().record(buildBatch(300), PROVENANCE);
      const streams = [samples().stream({}), samples().stream({})].map((s) => s[Symbol.asyncIterator]());
      for (const stream of streams) expect((await stream.next()).done).toBe(false);
      expect((await list({ limit: 5 })).items).toHaveLength(5);
      await samples().record(buildBatch(1, 900), PROVENANCE);
      for (const stream of streams) await stream.return?.();
      expect(await collect(samples().stream({}))).toHaveLength(301);
    });
  });
}
