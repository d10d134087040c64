import {
  buildBatch,
  buildModelDraft,
  buildProvenance,
  buildSample,
  HOSTILE_STRINGS,
} from '@alphaflops/store/conformance';
import type { Stores } from '@alphaflops/store';
import { openMongoStores } from './index.js';
import { documentOf } from './sample-document.js';
import { SCHEMA, VERSIONS } from './schema.js';
import { openTestStores, startTestServer, type TestStores } from './server.spec-helper.js';

const { server, stop } = await startTestServer();
afterAll(stop);

const provenance = buildProvenance();
const PROVENANCE = new Map([[provenance.id, provenance.record]]);
const KINDS = server.skip === undefined ? (['replicaSet', 'standalone'] as const) : [];

if (server.skip !== undefined) it.skip(`opening MongoDB (skipped: ${server.skip})`, () => undefined);

for (const kind of KINDS)
  describe(`opening MongoDB, ${kind}`, () => {
    const uri = server.skip === undefined ? server[kind] : null;
    if (uri === null) {
      it.skip(`(skipped: the server is not a ${kind})`, () => undefined);
      return;
    }
    let opened: TestStores;
    const others: Stores[] = [];
    const again = async (transactions: 'where-supported' | 'never' = 'where-supported') => {
      const stores = await openMongoStores(uri, { database: opened.database.databaseName, transactions });
      others.push(stores);
      return stores;
    };
    beforeEach(async () => {
      opened = await openTestStores(uri);
    });
    afterEach(async () => {
      for (const stores of others.splice(0)) await stores.close();
      await opened.cleanUp();
    });

    it('detects transactions and validators', () => {
      expect(opened.stores.abilities).toEqual({
        transactions: kind === 'replicaSet',
        validation: expect.any(Boolean),
      });
      const { transactions, validation } = opened.stores.abilities;
      expect(opened.stores.description).not.toContain('@');
      expect(opened.stores.description).toMatch(/^mongodb:\/\/\S+\/alphaflops-test-[^/\s]+($|,)/);
      expect(opened.stores.description.includes('transactions')).toBe(!transactions);
      expect(opened.stores.description.includes('validators')).toBe(!validation);
    });

    it('creates every index of the schema', async () => {
      for (const { name, indexes } of VERSIONS.flat()) {
        const found = await opened.database.collection(name).indexes();
        expect(found.map((index) => index.name)).toEqual(
          expect.arrayContaining(['_id_', ...indexes.map((index) => index.name)]),
        );
        for (const index of indexes)
          expect(found).toContainEqual(expect.objectContaining({ key: index.key }));
      }
    });

    it('makes the database refuse records of another form', async () => {
      if (!opened.stores.abilities.validation) {
        console.warn('not tested: this server has no validators');
        return;
      }
      const samples = opened.database.collection<{ _id: string }>('samples');
      const good = documentOf(buildSample());
      await samples.insertOne(good);
      for (const wrong of [{ outcome: 'fine' }, { specIndex: '1' }, { recordedOn: 'now' }, { spec: null }]) {
        await expect(samples.insertOne({ ...good, ...wrong, _id: 'another' })).rejects.toMatchObject({
          code: 121,
        });
      }
      for (const { name } of VERSIONS.flat()) {
        const insertion = opened.database.collection(name).insertOne({ stray: true });
        await expect(insertion).rejects.toMatchObject({ code: 121 });
      }
    });

    it('keeps existing records, also when many open the database at the same time', async () => {
      await opened.stores.samples.record(buildBatch(4), PROVENANCE);
      const all = await Promise.all(Array.from({ length: 6 }, () => again()));
      for (const stores of all) expect((await stores.samples.counts('campaign-a')).ok).toBe(4);
    });

    it('is set up once when many open an empty database at the same time', async () => {
      await opened.database.dropDatabase();
      const all = await Promise.all(Array.from({ length: 6 }, () => again()));
      await Promise.all(all.map((stores) => stores.ping()));
      expect(await opened.database.collection<{ _id: string }>(SCHEMA).findOne({ _id: 'version' })).toEqual({
        _id: 'version',
        version: VERSIONS.length,
      });
    });

    it('refuses a database of a newer version and does not change it', async () => {
      const newer = { _id: 'version', version: VERSIONS.length + 1 };
      const schema = opened.database.collection<{ _id: string; version: number }>(SCHEMA);
      await schema.updateOne({ _id: 'version' }, { $set: newer });
      await expect(again()).rejects.toMatchObject({
        name: 'StoreError',
        code: 'unavailable',
        message: expect.stringContaining(`newer version of alphaflops (database version ${newer.version}`),
      });
      expect(await schema.findOne({ _id: 'version' })).toEqual(newer);
    });

    it('refuses a database of another program and does not change it', async () => {
      await opened.database.dropDatabase();
      await opened.database.collection('orders').insertOne({ item: 1 });
      await expect(again()).rejects.toMatchObject({ name: 'StoreError', code: 'corrupt' });
      const names = (await opened.database.listCollections().toArray()).map(({ name }) => name);
      expect(names).toEqual(['orders']);
    });

    it('rejects calls after it is closed', async () => {
      const stores = await again();
      await stores.close();
      await stores.close();
      for (const call of [
        () => stores.ping(),
        () => stores.samples.get('a'),
        () => stores.samples.record([buildSample()], PROVENANCE),
      ]) {
        await expect(call()).rejects.toMatchObject({ name: 'StoreError', code: 'unavailable' });
      }
    });

    it('treats a query operator as a plain value', async () => {
      const { stores } = opened;
      await stores.samples.record(buildBatch(3), PROVENANCE);
      for (const value of [{ $gt: '' }, { $ne: null }, { $regex: '.*' }, { $in: ['campaign-a'] }, /./]) {
        const operator = value as unknown as string;
        expect(await stores.access.tokenByHash(operator)).toBeNull();
        expect(await stores.samples.get(operator)).toBeNull();
        expect(await stores.campaigns.get(operator)).toBeNull();
        expect(await stores.samples.list({ campaignId: operator }, { limit: 5 })).toEqual({
          items: [],
          nextCursor: null,
        });
        expect((await stores.samples.countByDevice('2000-01-01T00:00:00Z', operator)).size).toBe(0);
        expect((await stores.samples.counts(operator)).ok).toBe(0);
        expect(await stores.access.revokeTokens({ workerId: operator }, '2026-03-01T12:00:00Z')).toBe(0);
      }
      expect(HOSTILE_STRINGS).toContain('{"$gt":""}');
    });

    it('serves models that were stored without a status', async () => {
      const { models } = opened.stores;
      const published = await models.publish(buildModelDraft());
      const { status, statusReason, ...old } = published;
      expect([status, statusReason]).toEqual(['published', null]);
      await opened.database
        .collection<{ _id: string }>('models')
        .updateOne({ _id: 'class-a-v1' }, { $set: { doc: JSON.stringify(old) }, $unset: { status: '' } });
      expect(await models.served('class-a')).toEqual(published);
      expect((await models.list({}, { limit: 5 })).items).toEqual([published]);
    });

    it('counts the same with and without transactions', async () => {
      const bare = await again('never');
      await bare.samples.record(buildBatch(5), PROVENANCE);
      await bare.samples.record(buildBatch(2, 5, { outcome: 'noisy', batchIndex: 1 }), PROVENANCE);
      expect(await bare.samples.counts('campaign-a')).toMatchObject({ ok: 5, noisy: 2 });

      const full = await again();
      expect(await full.samples.counts('campaign-a')).toMatchObject({ ok: 5, noisy: 2 });
      // Slots 4, 5 and 6 are occupied.
      await full.samples.record(buildBatch(4, 4), PROVENANCE);
      expect(await full.samples.counts('campaign-a')).toMatchObject({ ok: 6, noisy: 2 });
      const reopened = await again();
      expect(await reopened.samples.counts('campaign-a')).toMatchObject({ ok: 6, noisy: 2 });
    });

    it('completes a batch that a crash left incomplete', async () => {
      const bare = await again('never');
      const batch = buildBatch(10);
      // The state after a process died during the insertion.
      await opened.database
        .collection<{ _id: string }>('samples')
        .insertMany(batch.slice(0, 6).map(documentOf));
      expect((await bare.samples.counts('campaign-a')).ok).toBe(6);
      expect(await bare.samples.record(batch, PROVENANCE)).toEqual({ inserted: 4, duplicates: 6 });
      expect((await bare.samples.counts('campaign-a')).ok).toBe(10);
    });

    it('stores each slot once and keeps counts exact when several coordinators record the same batch', async () => {
      const coordinators = [opened.stores, await again(), await again()];
      const results = await Promise.all(
        coordinators.flatMap((stores) =>
          [0, 10, 20].map((from) => stores.samples.record(buildBatch(20, from), PROVENANCE)),
        ),
      );
      expect(results.reduce((sum, result) => sum + result.inserted, 0)).toBe(40);
      for (const { samples } of coordinators) expect((await samples.counts('campaign-a')).ok).toBe(40);
    });
  });
