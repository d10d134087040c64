import { TOKEN_KINDS } from '../access-store.js';
import { migrateStores, MIGRATED_KINDS, type MigrationProgress } from '../migrate.js';
import type { SampleStore } from '../sample-store.js';
import type { Stores } from '../store.js';
import { buildAuditEntry } from './audit.js';
import {
  buildBatch,
  buildCampaign,
  buildDatasetDraft,
  buildDevice,
  buildDeviceClass,
  buildModelDraft,
  buildProvenance,
  buildSample,
  buildSpec,
  buildToken,
  buildWorker,
  timeAt,
} from './builders.js';
import { collect } from './collect.js';
import { buildKernelMap } from './kernel-maps.js';

/** More than one page of specs and samples. */
const MANY = 510;
const FEW = 20;

/** Stores records of every kind: `count` specs, `count + 1` samples, and a few records of each other kind. */
export async function fillStores(
  { campaigns, samples, fleet, access, audit, models, datasets, kernelMaps }: Stores,
  count: number,
): Promise<void> {
  const provenance = buildProvenance();
  const [first, second] = [1, 2].map((i) => buildCampaign({ id: `campaign-${i}`, name: 'Zoë \u0000 “α”' }));
  if (first === undefined || second === undefined) throw new Error('two campaigns were built');
  await campaigns.create(first);
  await campaigns.create(second);
  await campaigns.transition(first.id, 'draft', { state: 'planned', at: timeAt(9), reason: 'planned' });
  const specs = Array.from({ length: count }, (_, i) => buildSpec(i));
  await campaigns.putSpecs(first.id, 0, specs);

  const batch = buildBatch(count, 0, { campaignId: first.id });
  await samples.record(
    batch.map((sample, i) => ({ ...sample, batchIndex: i >> 4, recordedAt: timeAt(i >> 6) })),
    new Map([[provenance.id, provenance.record]]),
  );
  // This text ends in the middle of a character.
  const cut = buildSample({ campaignId: second.id, outcome: 'executor-crashed', reason: 'Segfault \ud83d' });
  await samples.record([cut], new Map());
  const unused = buildProvenance('node-9');
  await samples.record([], new Map([[unused.id, unused.record]]));

  for (const name of ['rack 1', 'rack 2']) {
    const [device, deviceClass] = [buildDevice(), buildDeviceClass()];
    await fleet.putWorker(buildWorker({ name, deviceIds: [device.id] }), [device], [deviceClass], new Map());
  }
  for (const kind of TOKEN_KINDS) await access.putToken(buildToken({ kind, uses: 3 }));
  for (let i = 0; i < 3; i++) await audit.append(buildAuditEntry({ at: timeAt(i >> 1) }));
  for (let seed = 0; seed < 12; seed++) {
    const deviceClassId = seed % 3 === 0 ? 'class-b' : 'class-a';
    const campaignId = seed === 5 ? first.id : null;
    await models.publish(buildModelDraft({ deviceClassId, campaignId, seed, createdAt: timeAt(seed >> 1) }));
  }
  for (const draftId of ['first', 'second']) {
    for (const part of [0, 1]) await datasets.putPart(draftId, part, Buffer.from(`${draftId} ${part}`));
    await datasets.seal(draftId, 2, buildDatasetDraft());
  }
  for (let i = 0; i < 2; i++) await kernelMaps.put(buildKernelMap(), Buffer.from(`labels ${i}`));
}

async function contents({ campaigns, samples, fleet, access, audit, models, datasets, kernelMaps }: Stores) {
  const page = { limit: 1000 };
  return {
    campaigns: (await campaigns.list({}, page)).items,
    specs: await campaigns.specs('campaign-1', 0, 1000),
    samples: await collect(samples.stream({})),
    counts: await samples.counts('campaign-1'),
    batches: (await collect(samples.batchCounts('campaign-1'))).toSorted(
      (a, b) => a.batchIndex - b.batchIndex,
    ),
    provenance: await collect(samples.provenanceRecords()),
    fleet: [
      (await fleet.workers(page)).items,
      (await fleet.devices({}, page)).items,
      (await fleet.deviceClasses(page)).items,
    ],
    tokens: await Promise.all(TOKEN_KINDS.map((kind) => access.tokens(kind))),
    audit: (await audit.list(page)).items,
    models: (await models.list({ deviceClassId: 'class-a' }, page)).items.map(({ id, seed }) => [id, seed]),
    datasets: (await datasets.list(page)).items.toSorted((a, b) => a.version - b.version),
    kernelMaps: (await kernelMaps.list(page)).items.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

/** The stores with a `record` that fails from one call onwards, as it does when the connection breaks. */
function breaking(stores: Stores, call: number): Stores {
  let calls = 0;
  const samples = new Proxy(stores.samples, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === ('record' satisfies keyof SampleStore) && ++calls >= call) {
        return () => Promise.reject(new Error('the connection broke'));
      }
      return value.bind(target) as unknown;
    },
  });
  return { ...stores, samples };
}

export function describeMigration(
  stores: () => Stores,
  openStores: () => Promise<{ stores: Stores; cleanUp: () => Promise<void> }>,
): void {
  describe('migration into another store', () => {
    let target: { stores: Stores; cleanUp: () => Promise<void> };
    beforeEach(async () => {
      target = await openStores();
    });
    afterEach(() => target.cleanUp());

    it('copies everything, and can be repeated without changes', async () => {
      await fillStores(stores(), MANY);
      const heard: MigrationProgress[] = [];
      const summary = await migrateStores(stores(), target.stores, (progress) => heard.push(progress));
      expect(Object.entries(summary).map(([kind, { count }]) => [kind, count])).toEqual([
        ['provenance', 2],
        ['device classes', 2],
        ['devices', 2],
        ['workers', 2],
        ['tokens', TOKEN_KINDS.length],
        ['audit entries', 3],
        ['campaigns', 2],
        ['specs', MANY],
        ['samples', MANY + 1],
        ['models', 12],
        ['data sets', 2],
        ['kernel maps', 2],
      ]);
      for (const kind of MIGRATED_KINDS) {
        const last = heard.findLast((progress) => progress.stage === 'copy' && progress.kind === kind);
        expect(last).toMatchObject({ done: summary[kind].count });
      }
      const source = await contents(stores());
      const copy = await contents(target.stores);
      // Not every store can keep half of a character.
      const isWhole = ({ campaignId }: { campaignId: string }) => campaignId !== 'campaign-2';
      expect({ ...copy, samples: copy.samples.filter(isWhole) }).toEqual({
        ...source,
        samples: source.samples.filter(isWhole),
      });
      expect(await migrateStores(stores(), target.stores)).toEqual(summary);
    });

    it('continues after an interruption', async () => {
      await fillStores(stores(), MANY);
      await expect(migrateStores(stores(), breaking(target.stores, 2))).rejects.toThrow(
        'the connection broke',
      );
      const part = (await collect(target.stores.samples.stream({}))).length;
      expect(part).toBeGreaterThan(0);
      expect(part).toBeLessThan(MANY);
      const summary = await migrateStores(stores(), target.stores);
      expect(summary.samples.count).toBe(MANY + 1);
    });

    it('fails when the target holds other records', async () => {
      await fillStores(stores(), FEW);
      const conflict = { name: 'StoreError', code: 'conflict' };
      await target.stores.samples.record([buildSample({ campaignId: 'campaign-1', attempt: 2 })], new Map());
      await expect(migrateStores(stores(), target.stores)).rejects.toMatchObject({
        ...conflict,
        message: expect.stringContaining('The samples of the two stores differ') as string,
      });
      await target.stores.models.publish(buildModelDraft({ deviceClassId: 'class-c' }));
      await stores().models.publish(buildModelDraft({ deviceClassId: 'class-c', seed: 99 }));
      await expect(migrateStores(stores(), target.stores)).rejects.toMatchObject({
        ...conflict,
        message: expect.stringContaining('Model class-c-v1') as string,
      });
      await stores().campaigns.create(buildCampaign({ id: 'campaign-3' }));
      await target.stores.campaigns.create(buildCampaign({ id: 'campaign-3', name: 'another' }));
      await expect(migrateStores(stores(), target.stores)).rejects.toMatchObject({
        ...conflict,
        message: expect.stringContaining('Campaign campaign-3') as string,
      });
    });
  });
}
