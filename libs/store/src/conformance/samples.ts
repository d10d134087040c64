import { OUTCOMES, type Sample, withFormerEnergyNames } from '@alphaflops/contracts';
import { asDrifted, MAX_SET_ASIDE, type BatchCount, type SampleStore } from '../sample-store.js';
import { buildBatch, buildProvenance, buildSample, countOutcomes, timeAt } from './builders.js';
import { collect, HOSTILE_STRINGS, nearMisses, unreadable } from './collect.js';

const provenance = buildProvenance();
const PROVENANCE = new Map([[provenance.id, provenance.record]]);

function batchKey(count: BatchCount): string {
  return `${count.targetId} ${count.batchIndex}`;
}

export function describeSampleStore(samples: () => SampleStore): void {
  /** Expects that counts, batch counts, list and stream all agree with `stored`. */
  async function expectStored(campaignId: string, stored: readonly Sample[]): Promise<void> {
    expect(await samples().counts(campaignId)).toEqual(countOutcomes(stored));
    const batches = new Map<string, BatchCount>();
    for (const { targetId, batchIndex, setAside } of stored) {
      if (setAside !== undefined) continue;
      const count = { targetId, batchIndex, recorded: 0 };
      const known = batches.get(batchKey(count)) ?? count;
      batches.set(batchKey(known), { ...known, recorded: known.recorded + 1 });
    }
    const found = await collect(samples().batchCounts(campaignId));
    expect(found).toHaveLength(batches.size);
    expect(new Map(found.map((count) => [batchKey(count), count]))).toEqual(batches);
    const streamed = await collect(samples().stream({ campaignId }));
    expect(streamed.map((s) => s.id).sort()).toEqual(stored.map((s) => s.id).sort());
  }

  describe('recording samples', () => {
    it('returns every sample unchanged, for every outcome', async () => {
      const batch = OUTCOMES.map((outcome, specIndex) => buildSample({ outcome, specIndex }));
      batch.push(
        buildSample({
          specIndex: 100,
          timing: null,
          conditions: null,
          reason: '“quoted” \u0000 {"$gt":""} 💥',
        }),
        buildSample({ specIndex: 101, algorithm: 'implicit_gemm', workspaceBytes: 2 ** 40 }),
        // This sample belongs to a batch that no worker finished.
        buildSample({
          specIndex: 102,
          outcome: 'executor-crashed',
          deviceId: null,
          workerId: null,
          provenanceId: null,
        }),
      );
      expect(await samples().record(batch, PROVENANCE)).toEqual({ inserted: batch.length, duplicates: 0 });
      for (const sample of batch) expect(await samples().get(sample.id)).toEqual(sample);
      expect(await collect(samples().stream({}))).toEqual(batch.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
      for (const id of [...HOSTILE_STRINGS, ...nearMisses(batch[0]?.id ?? '')]) {
        expect(await samples().get(id)).toBeNull();
      }
    });

    it('keeps every digit of many batch times', async () => {
      const sample = buildSample();
      if (sample.timing === null) throw new Error('the builder must set the timing of ok samples');
      const batchTimesMs = Array.from({ length: 5000 }, (_, i) => 10 ** ((i % 40) - 20) / (i + 3));
      const long = { ...sample, timing: { ...sample.timing, batchTimesMs } };
      await samples().record([long], PROVENANCE);
      expect(await samples().get(sample.id)).toEqual(long);
    });

    it('reads energies that were stored under their former names', async () => {
      const sample = buildSample();
      if (sample.timing === null) throw new Error('the builder must set the timing of ok samples');
      const energy = {
        measured: true as const,
        windowMs: 1000,
        iterations: 9,
        integratedMillijoules: 12.25,
        doubt: null,
      };
      const timing = { ...sample.timing, energyMillijoules: 12.5, energy };
      const former = withFormerEnergyNames(timing);
      expect(Object.keys(former)).toContain('energyMj');
      await samples().record([{ ...sample, timing: former }], PROVENANCE);
      expect(await samples().get(sample.id)).toEqual({ ...sample, timing });
    });

    it('stores the provenance with the samples', async () => {
      const other = buildProvenance('node-2');
      await samples().record([buildSample()], PROVENANCE);
      expect(await samples().provenance(provenance.id)).toEqual(provenance.record);
      expect(await samples().provenance(other.id)).toBeNull();
      await samples().record([], new Map([[other.id, other.record], ...PROVENANCE]));
      expect(await samples().provenance(other.id)).toEqual(other.record);
      for (const id of HOSTILE_STRINGS) expect(await samples().provenance(id)).toBeNull();
    });

    it('lists every provenance record in the order of ids', async () => {
      const records = Array.from({ length: 230 }, (_, i) => buildProvenance(`node-${i}`));
      expect(await collect(samples().provenanceRecords())).toEqual([]);
      await samples().record([buildSample()], new Map(records.map(({ id, record }) => [id, record])));
      const inOrder = records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect(await collect(samples().provenanceRecords())).toEqual(
        inOrder.map(({ id, record }) => [id, record]),
      );
    });

    it('does nothing when the list of samples is empty', async () => {
      expect(await samples().record([], new Map())).toEqual({ inserted: 0, duplicates: 0 });
      await expectStored('campaign-a', []);
    });

    it('keeps the first sample of a slot and drops later ones, inside one call and across calls', async () => {
      const first = buildBatch(5);
      const again = buildBatch(7, 0, { attempt: 2, outcome: 'noisy' });
      expect(await samples().record(first, PROVENANCE)).toEqual({ inserted: 5, duplicates: 0 });
      expect(await samples().record(first, PROVENANCE)).toEqual({ inserted: 0, duplicates: 5 });
      expect(await samples().record(again, PROVENANCE)).toEqual({ inserted: 2, duplicates: 5 });
      const twice = buildBatch(3, 20);
      const inside = [...twice, ...buildBatch(3, 20), ...twice];
      expect(await samples().record(inside, PROVENANCE)).toEqual({ inserted: 3, duplicates: 6 });
      const stored = [...first, ...again.slice(5), ...twice];
      await expectStored('campaign-a', stored);
      for (const sample of stored) expect(await samples().get(sample.id)).toEqual(sample);
      for (const dropped of again.slice(0, 5)) expect(await samples().get(dropped.id)).toBeNull();
    });

    it('distinguishes slots only by campaign, target, spec and replicate', async () => {
      const slots = [
        {},
        { campaignId: 'campaign-b' },
        { targetId: 'class-b' },
        { specIndex: 1 },
        { replicate: 1 },
      ].map((slot) => buildSample(slot));
      expect(await samples().record(slots, PROVENANCE)).toEqual({ inserted: 5, duplicates: 0 });
      const same = [
        { batchIndex: 9 },
        { attempt: 3 },
        { deviceId: 'device-b' },
        { workerId: 'worker-b' },
        { deviceClassId: 'class-b' },
      ].map((other) => buildSample(other));
      expect(await samples().record(same, PROVENANCE)).toEqual({ inserted: 0, duplicates: 5 });
      await expectStored('campaign-b', slots.slice(1, 2));
    });

    it('stores each slot once when many callers record the same batch at the same time', async () => {
      const batches = Array.from({ length: 6 }, (_, i) => buildBatch(20, i * 10));
      const results = await Promise.all(batches.map((batch) => samples().record(batch, PROVENANCE)));
      expect(results.reduce((sum, r) => sum + r.inserted, 0)).toBe(70);
      expect(results.reduce((sum, r) => sum + r.duplicates, 0)).toBe(50);
      await expectStored('campaign-a', await collect(samples().stream({})));
    });

    it('stores all or nothing', async () => {
      const kept = buildBatch(3);
      await samples().record(kept, PROVENANCE);
      const other = buildProvenance('node-2');
      const batch = buildBatch(6, 10, { batchIndex: 1 });
      batch[4] = unreadable(buildSample({ specIndex: 14, batchIndex: 1 }), 'reason');
      await expect(samples().record(batch, new Map([[other.id, other.record]]))).rejects.toThrow();
      await expectStored('campaign-a', kept);
      expect(await samples().provenance(other.id)).toBeNull();
      expect(await samples().record(buildBatch(6, 10, { batchIndex: 1 }), PROVENANCE)).toEqual({
        inserted: 6,
        duplicates: 0,
      });
    });
  });

  describe('setting samples aside', () => {
    const since = (ms: number) => ({
      deviceId: 'device-a',
      startedBefore: timeAt(ms),
      reason: 'drifted by 4 %',
    });
    const slotsOf = (stored: readonly Sample[]) =>
      stored.map(({ campaignId, targetId, specIndex, replicate }) => ({
        campaignId,
        targetId,
        specIndex,
        replicate,
      }));

    it('frees their slots, and keeps them as drifted', async () => {
      const batch = buildBatch(4);
      const others = buildBatch(2, 10, { batchIndex: 1 });
      await samples().record([...batch, ...others], PROVENANCE);
      expect(await samples().setAside(slotsOf(batch), since(1))).toBe(4);
      const drifted = batch.map((sample) => asDrifted(sample, 1, 'drifted by 4 %'));
      await expectStored('campaign-a', [...drifted, ...others]);
      expect(await collect(samples().batchCounts('campaign-a'))).toEqual([
        { targetId: 'class-a', batchIndex: 1, recorded: 2 },
      ]);
      for (const sample of drifted) expect(await samples().get(sample.id)).toEqual(sample);
      for (const { id } of batch) expect(await samples().get(id)).toBeNull();
      const found = await collect(samples().stream({ outcome: 'drifted' }));
      expect(found.map(({ specIndex }) => specIndex).sort()).toEqual([0, 1, 2, 3]);
      // The slots are measured again.
      const again = buildBatch(4, 0, { attempt: 2 });
      expect(await samples().record(again, PROVENANCE)).toEqual({ inserted: 4, duplicates: 0 });
      expect(await samples().record(again, PROVENANCE)).toEqual({ inserted: 0, duplicates: 4 });
      await expectStored('campaign-a', [...drifted, ...others, ...again]);
    });

    it('does not change samples of other devices, later samples, samples that are not valid, and unknown slots', async () => {
      const kept = [
        buildSample({ specIndex: 0, deviceId: 'device-b' }),
        buildSample({ specIndex: 1, startedAt: timeAt(500) }),
        buildSample({ specIndex: 2, outcome: 'timeout' }),
        buildSample({ specIndex: 3, replicate: 1 }),
        buildSample({ specIndex: 3, campaignId: 'campaign-b' }),
        buildSample({ specIndex: 3, targetId: 'class-b' }),
      ];
      await samples().record(kept, PROVENANCE);
      const slots = slotsOf(Array.from({ length: 4 }, (_, specIndex) => buildSample({ specIndex })));
      expect(await samples().setAside(slots, since(500))).toBe(0);
      expect(await samples().setAside([], since(500))).toBe(0);
      await expectStored(
        'campaign-a',
        kept.filter(({ campaignId }) => campaignId === 'campaign-a'),
      );
    });

    it('can be repeated, also after new measurements of the slots', async () => {
      const first = buildBatch(3);
      await samples().record(first, PROVENANCE);
      expect(await samples().setAside(slotsOf(first), since(1))).toBe(3);
      expect(await samples().setAside(slotsOf(first), since(1))).toBe(0);
      const second = buildBatch(3, 0, { startedAt: timeAt(1000) });
      await samples().record(second, PROVENANCE);
      expect(await samples().setAside(slotsOf(first), since(1))).toBe(0);
      const drifted = first.map((sample) => asDrifted(sample, 1, 'drifted by 4 %'));
      await expectStored('campaign-a', [...second, ...drifted]);
    });

    it('does not free a slot a third time', async () => {
      const stored: Sample[] = [];
      for (let n = 1; n <= MAX_SET_ASIDE + 1; n++) {
        const sample = buildSample({ startedAt: timeAt(1000 * n) });
        await samples().record([sample], PROVENANCE);
        const count = await samples().setAside(slotsOf([sample]), since(1000 * n + 1));
        expect(count).toBe(n <= MAX_SET_ASIDE ? 1 : 0);
        stored.push(count === 1 ? asDrifted(sample, n, 'drifted by 4 %') : sample);
      }
      await expectStored('campaign-a', stored);
    });

    it('records drifted samples outside of their slots, as a migration does', async () => {
      const [sample = buildSample()] = buildBatch(1);
      const drifted = asDrifted(sample, 1, 'drifted by 4 %');
      expect(await samples().record([drifted, sample], PROVENANCE)).toEqual({ inserted: 2, duplicates: 0 });
      expect(await samples().record([drifted, sample], PROVENANCE)).toEqual({ inserted: 0, duplicates: 2 });
      await expectStored('campaign-a', [drifted, sample]);
    });
  });

  describe('samples that turn out noisy', () => {
    it('keep their slots and measured values, and count as noisy', async () => {
      const batch = [...buildBatch(3), buildSample({ specIndex: 3, outcome: 'timeout' })];
      await samples().record(batch, PROVENANCE);
      expect(await samples().markNoisy([...batch, buildSample({ specIndex: 9 })], 'visits disagree')).toBe(3);
      expect(await samples().markNoisy(batch, 'again')).toBe(0);
      expect(await samples().markNoisy([], 'nothing')).toBe(0);
      const after = batch.map((sample) =>
        sample.outcome === 'ok'
          ? { ...sample, outcome: 'noisy' as const, reason: 'visits disagree' }
          : sample,
      );
      await expectStored('campaign-a', after);
      // Their slots are taken.
      const again = buildBatch(3, 0, { attempt: 2 });
      expect(await samples().record(again, PROVENANCE)).toEqual({ inserted: 0, duplicates: 3 });
    });

    it('do not include samples that have drifted before', async () => {
      const [sample = buildSample()] = buildBatch(1);
      const drifted = asDrifted(sample, 1, 'drifted by 4 %');
      await samples().record([drifted], PROVENANCE);
      expect(await samples().markNoisy([sample], 'visits disagree')).toBe(0);
      await expectStored('campaign-a', [drifted]);
    });
  });

  describe('counting samples', () => {
    it('keeps counts per campaign, outcome, target and batch', async () => {
      const stored: Sample[] = [];
      for (const [i, outcome] of OUTCOMES.entries()) {
        for (const targetId of ['device-1', 'device-2']) {
          const batch = buildBatch(i + 1, i * 100, { outcome, targetId, batchIndex: i % 3 });
          await samples().record(batch, PROVENANCE);
          stored.push(...batch);
        }
      }
      await samples().record(buildBatch(4, 0, { campaignId: 'campaign-b' }), PROVENANCE);
      await expectStored('campaign-a', stored);
      expect((await samples().counts('campaign-b')).ok).toBe(4);
    });

    it('accepts samples of several campaigns and batches in one call', async () => {
      const a = [...buildBatch(3), ...buildBatch(4, 50, { batchIndex: 1 })];
      const b = buildBatch(2, 0, { campaignId: 'campaign-b', outcome: 'timeout' });
      await samples().record([...a, ...b], PROVENANCE);
      await expectStored('campaign-a', a);
      await expectStored('campaign-b', b);
    });

    it('returns one entry for each of many batches', async () => {
      const stored = Array.from({ length: 1500 }, (_, i) => buildSample({ specIndex: i, batchIndex: i }));
      await samples().record(stored, PROVENANCE);
      const found = await collect(samples().batchCounts('campaign-a'));
      expect(found.map((c) => c.batchIndex).sort((x, y) => x - y)).toEqual(stored.map((s) => s.batchIndex));
      expect(found.every((c) => c.recorded === 1 && c.targetId === 'class-a')).toBe(true);
    });

    it('counts nothing for an unknown campaign', async () => {
      await samples().record(buildBatch(2), PROVENANCE);
      for (const id of ['campaign-nowhere', ...HOSTILE_STRINGS]) {
        expect(await samples().counts(id)).toEqual(countOutcomes([]));
        expect(await collect(samples().batchCounts(id))).toEqual([]);
        expect(await samples().countByDevice(timeAt(-1e9), id)).toEqual(new Map());
      }
    });

    it('counts samples of a campaign by device, from a start time onwards', async () => {
      const batch = [0, 500, 1000, 1500].map((ms, specIndex) =>
        buildSample({
          ...{ specIndex, recordedAt: timeAt(ms) },
          deviceId: specIndex === 1 ? 'device-b' : 'device-a',
        }),
      );
      batch.push(buildSample({ specIndex: 4, recordedAt: timeAt(1500), deviceId: null, outcome: 'timeout' }));
      batch.push(buildSample({ campaignId: 'campaign-b', recordedAt: timeAt(1000) }));
      await samples().record(batch, PROVENANCE);
      const counts = (since: string) => samples().countByDevice(since, 'campaign-a');
      expect(await counts(timeAt(0))).toEqual(new Map([['device-a', 3], ['device-b', 1], [null, 1]])); // prettier-ignore
      expect(await counts(timeAt(1000).replace('.000Z', 'Z'))).toEqual(new Map([['device-a', 2], [null, 1]])); // prettier-ignore
      expect(await counts(timeAt(1501))).toEqual(new Map());
    });

    it('counts samples recorded from a start time up to an end time, which is excluded', async () => {
      const batch = [0, 500, 1000, 1500].map((ms, specIndex) =>
        buildSample({ specIndex, recordedAt: timeAt(ms), outcome: ms === 500 ? 'noisy' : 'ok' }),
      );
      batch.push(buildSample({ campaignId: 'campaign-b', recordedAt: timeAt(1000) }));
      await samples().record(batch, PROVENANCE);
      expect(await samples().countBetween(timeAt(0), timeAt(1000))).toBe(2);
      expect(await samples().countBetween(timeAt(1000), timeAt(1501))).toBe(3);
      expect(await samples().countBetween(timeAt(1501), timeAt(9000))).toBe(0);
      expect(await samples().countBetween(timeAt(1000), timeAt(1000))).toBe(0);
    });
  });
}
