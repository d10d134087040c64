import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildBatch,
  buildCampaign,
  buildDevice,
  buildDeviceClass,
  buildModelDraft,
  buildProvenance,
  buildSpec,
  buildToken,
  buildWorker,
  collect,
  timeAt,
} from '@alphaflops/store/conformance';
import type { SampleFilter } from '@alphaflops/store';
import Database from 'libsql';
import { Connection, type SqlValue } from './connection.js';
import { migrate } from './migrate.js';
import { SqliteAccessStore } from './sqlite-access-store.js';
import { SqliteCampaignStore } from './sqlite-campaign-store.js';
import { SqliteFleetStore } from './sqlite-fleet-store.js';
import { SqliteModelStore } from './sqlite-model-store.js';
import { SqliteSampleStore } from './sqlite-sample-store.js';

/** Remembers what ran through it. */
class ListeningConnection extends Connection {
  readonly heard = new Set<string>();

  override rows(sql: string, values: readonly SqlValue[] = []): SqlValue[][] {
    this.heard.add(sql);
    return super.rows(sql, values);
  }

  override run(sql: string, values: readonly SqlValue[] = []): number {
    this.heard.add(sql);
    return super.run(sql, values);
  }
}

describe('query plans', () => {
  const directory = mkdtempSync(join(tmpdir(), 'store-sqlite-plans-'));
  const connection = new ListeningConnection(join(directory, 'plans.sqlite'));
  // On a connection of its own: the driver does not finish explaining a statement that writes.
  const planner = new Database(join(directory, 'plans.sqlite'));
  const planOf = (sql: string) =>
    (planner.prepare(`EXPLAIN QUERY PLAN ${sql}`).raw().all([]) as SqlValue[][])
      .map((row) => row[3])
      .join('; ');
  const provenance = buildProvenance();
  const PROVENANCE = new Map([[provenance.id, provenance.record]]);

  beforeAll(() => {
    migrate(connection);
    connection.heard.clear();
  });
  afterAll(() => {
    planner.close();
    connection.close();
    rmSync(directory, { recursive: true });
  });

  function expectSearches(): void {
    // What brings its own rows looks only for conflicts, which are found by a unique index.
    const statements = [...connection.heard].filter((sql) => !/VALUES|FROM json_each/.test(sql));
    expect(statements.length).toBeGreaterThan(0);
    for (const sql of statements) {
      const plan = planOf(sql);
      expect({ sql, plan }).toEqual({ sql, plan: expect.stringMatching(/^SEARCH /) as string });
      expect({ sql, plan }).toEqual({ sql, plan: expect.not.stringMatching(/SCAN|TEMP B-TREE/) as string });
    }
    connection.heard.clear();
  }

  it('tell a scan and a sort from a search', () => {
    expect(planOf('SELECT doc FROM samples WHERE replicate = 1 ORDER BY doc')).toMatch(
      /SCAN samples.*TEMP B-TREE/,
    );
  });

  it('of samples search an index in its order, under every set of filters', async () => {
    const samples = new SqliteSampleStore(connection);
    const batch = buildBatch(5);
    await samples.record(batch, PROVENANCE);
    const fields = {
      campaignId: 'campaign-a',
      deviceClassId: 'class-a',
      deviceId: 'device-a',
      workerId: 'worker-a',
      outcome: 'timeout',
      recordedFrom: timeAt(0),
      recordedTo: timeAt(1e6),
    } as const;
    const names = Object.keys(fields) as (keyof typeof fields)[];
    for (let set = 0; set < 2 ** names.length; set++) {
      const chosen = names.filter((_, bit) => (set >> bit) % 2 === 1).map((name) => [name, fields[name]]);
      const filter = Object.fromEntries(chosen) as SampleFilter;
      for (const outcome of [filter.outcome, 'ok'] as const) {
        const page = await samples.list({ ...filter, outcome }, { limit: 2 });
        if (page.nextCursor !== null) {
          await samples.list({ ...filter, outcome }, { limit: 2, cursor: page.nextCursor });
        }
        await collect(samples.stream({ ...filter, outcome }));
      }
    }
    await samples.counts('campaign-a');
    await collect(samples.batchCounts('campaign-a'));
    await samples.get(batch[0]?.id ?? '');
    await samples.provenance(provenance.id);
    await collect(samples.provenanceRecords());
    await samples.countSince(timeAt(0));
    await samples.countSince(timeAt(0), 'campaign-a');
    expectSearches();
  });

  it('of campaigns and specs search an index', async () => {
    const campaigns = new SqliteCampaignStore(connection);
    const [first, second] = [buildCampaign(), buildCampaign()];
    await campaigns.create(first);
    await campaigns.create(second);
    for (const state of [undefined, 'draft'] as const) {
      for (const deviceClassId of [undefined, 'class-a']) {
        const { nextCursor } = await campaigns.list({ state, deviceClassId }, { limit: 1 });
        await campaigns.list({ state, deviceClassId }, { limit: 1, cursor: nextCursor ?? '' });
      }
    }
    await campaigns.transition(first.id, 'draft', { state: 'planned', at: timeAt(1), reason: 'planned' });
    await campaigns.putSpecs(first.id, 0, [buildSpec(0)]);
    await campaigns.putSpecs(first.id, 0, [buildSpec(0)]);
    await campaigns.specs(first.id, 0, 10);
    expectSearches();
  });

  it('of the fleet search an index', async () => {
    const fleet = new SqliteFleetStore(connection);
    const [device, deviceClass, worker] = [buildDevice(), buildDeviceClass(), buildWorker()];
    await fleet.putWorker(worker, [device], [deviceClass], PROVENANCE);
    await fleet.patchWorker(worker.id, { activity: 'measuring' });
    await fleet.device(device.id);
    await fleet.deviceClass(deviceClass.id);
    await fleet.workers({ limit: 5 });
    await fleet.devices({}, { limit: 5 });
    await fleet.devices({ deviceClassId: 'class-a' }, { limit: 5 });
    await fleet.deviceClasses({ limit: 5 });
    expectSearches();
  });

  it('of tokens, idempotency keys and models search an index', async () => {
    const access = new SqliteAccessStore(connection);
    const token = buildToken({ workerId: 'worker-a' });
    await access.putToken(token);
    await access.addToken(token);
    await access.consumeToken('join', token.hash, timeAt(0));
    await access.tokens('join');
    await access.revokeTokens({ id: token.id }, timeAt(0));
    await access.revokeTokens({ workerId: 'worker-a' }, timeAt(0));
    const limits = { expireBefore: timeAt(-1), abandonedBefore: timeAt(-1) };
    await access.claimIdempotencyKey('k', 'd', timeAt(0), limits);
    await access.renewIdempotencyKey('k', timeAt(0));
    await access.storeResponse('k', 200, '{}');
    await access.releaseIdempotencyKey('k');
    const models = new SqliteModelStore(connection);
    await models.publish(buildModelDraft({ campaignId: 'campaign-a' }));
    await models.publish(buildModelDraft());
    await models.get('class-a-v1');
    await models.served('class-a');
    await models.setStatus('class-a-v1', 'retired', 'wrong');
    for (const deviceClassId of [undefined, 'class-a']) {
      const { nextCursor } = await models.list({ deviceClassId }, { limit: 1 });
      await models.list({ deviceClassId }, { limit: 1, cursor: nextCursor ?? '' });
    }
    expectSearches();
  });
});
