import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBatch, buildProvenance, collect, QUERIES, timeAt } from '@alphaflops/store/conformance';
import type { SampleFilter } from '@alphaflops/store';
import Database from 'libsql';
import { Connection, type SqlValue } from './connection.js';
import { migrate } from './migrate.js';
import { SqliteAccessStore } from './sqlite-access-store.js';
import { SqliteAuditStore } from './sqlite-audit-store.js';
import { SqliteCampaignStore } from './sqlite-campaign-store.js';
import { SqliteDatasetStore } from './sqlite-dataset-store.js';
import { SqliteFleetStore } from './sqlite-fleet-store.js';
import { SqliteKernelMapStore } from './sqlite-kernel-map-store.js';
import { SqliteModelStore } from './sqlite-model-store.js';
import { SqliteSampleStore } from './sqlite-sample-store.js';

/** Records every statement that runs through it. */
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
  // The planner has a separate connection, because the driver does not finish the explanation of a statement that
  // writes.
  const planner = new Database(join(directory, 'plans.sqlite'));
  const planOf = (sql: string) =>
    (planner.prepare(`EXPLAIN QUERY PLAN ${sql}`).raw().all([]) as SqlValue[][])
      .map((row) => row[3])
      .join('; ');
  const stores = {
    campaigns: new SqliteCampaignStore(connection),
    samples: new SqliteSampleStore(connection),
    fleet: new SqliteFleetStore(connection),
    access: new SqliteAccessStore(connection),
    audit: new SqliteAuditStore(connection),
    models: new SqliteModelStore(connection),
    datasets: new SqliteDatasetStore(connection),
    kernelMaps: new SqliteKernelMapStore(connection),
  };
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
    // Statements with their own rows search only for conflicts, through a unique index. The search for abandoned
    // drafts reads an index of all parts; each part holds thousands of rows.
    const statements = [...connection.heard].filter(
      (sql) => !/VALUES|FROM json_each|GROUP BY draft_id/.test(sql),
    );
    expect(statements.length).toBeGreaterThan(0);
    for (const sql of statements) {
      const plan = planOf(sql);
      expect({ sql, plan }).toEqual({ sql, plan: expect.stringMatching(/^SEARCH /) as string });
      expect({ sql, plan }).toEqual({ sql, plan: expect.not.stringMatching(/SCAN|TEMP B-TREE/) as string });
    }
    connection.heard.clear();
  }

  it('distinguish a scan and a sort from a search', () => {
    expect(planOf('SELECT doc FROM samples WHERE replicate = 1 ORDER BY doc')).toMatch(
      /SCAN samples.*TEMP B-TREE/,
    );
  });

  it('of samples search an index in its order, under every set of filters', async () => {
    const { samples } = stores;
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
    expectSearches();
  });

  it.each(Object.keys(QUERIES) as (keyof typeof QUERIES)[])('of %s search an index', async (port) => {
    const calls = Object.values(QUERIES[port]) as ((store: unknown) => Promise<unknown>)[];
    for (const call of calls) await call(stores[port]);
    expectSearches();
  });
});
