import { buildBatch, buildProvenance, QUERIES, timeAt } from '@alphaflops/store/conformance';
import type { SampleFilter } from '@alphaflops/store';
import { randomUUID } from 'node:crypto';
import { MongoClient, type CommandStartedEvent, type Document } from 'mongodb';
import { Address } from './address.js';
import { Connection } from './connection.js';
import { countersOn } from './counters.js';
import { MongoAccessStore } from './mongo-access-store.js';
import { MongoAuditStore } from './mongo-audit-store.js';
import { MongoCampaignStore } from './mongo-campaign-store.js';
import { MongoDatasetStore } from './mongo-dataset-store.js';
import { MongoFleetStore } from './mongo-fleet-store.js';
import { MongoKernelMapStore } from './mongo-kernel-map-store.js';
import { MongoModelStore } from './mongo-model-store.js';
import { MongoSampleStore } from './mongo-sample-store.js';
import { prepare } from './prepare.js';
import { startTestServer } from './server.spec-helper.js';

const { server, stop } = await startTestServer();
afterAll(stop);

const provenance = buildProvenance();
const PROVENANCE = new Map([[provenance.id, provenance.record]]);
const hasPlans =
  server.skip === undefined && (await namesStages(server.replicaSet ?? server.standalone ?? ''));
/** With and without transactions, as far as the server supports them. */
const MODES =
  server.skip === undefined && hasPlans ? [...(server.replicaSet === null ? [] : [true]), false] : [];
/**
 * The planner of this server sorts documents that the index already returns in order. It searches the index of _id,
 * which every collection has, only for a single equality. These checks apply only to MongoDB itself.
 */
const isSimple = server.skip === undefined && server.server.startsWith('secantusdb');

if (server.skip !== undefined) it.skip(`query plans of MongoDB (skipped: ${server.skip})`, () => undefined);

if (server.skip === undefined && !hasPlans)
  it.skip('query plans of MongoDB (skipped: explain reports no stages on this server)', () => undefined);
if (server.skip === undefined && server.replicaSet === null)
  it.skip('query plans with transactions (skipped: the server is not a replica set)', () => undefined);

for (const transactions of MODES)
  describe(`operations on MongoDB, counters kept: ${transactions}`, () => {
    const uri = server.skip === undefined ? (server.replicaSet ?? server.standalone ?? '') : '';
    const name = `alphaflops-test-${randomUUID()}`;
    const client = new MongoClient(uri, { monitorCommands: true });
    const explaining = new MongoClient(uri);
    const database = explaining.db(name);
    let heard: Document[] = [];
    let connection: Connection;

    client.on('commandStarted', (event: CommandStartedEvent) => {
      if (
        event.databaseName === name &&
        ['find', 'aggregate', 'update', 'delete'].includes(event.commandName)
      ) {
        heard.push(event.command);
      }
    });
    beforeAll(async () => {
      const address = new Address(uri, name);
      await prepare(client.db(name), address);
      connection = new Connection(client, client.db(name), address, { transactions, validation: true });
      await countersOn(connection);
    });
    beforeEach(() => {
      heard = [];
    });
    afterAll(async () => {
      await database.dropDatabase();
      await client.close();
      await explaining.close();
    });

    /** Explains every command since the last call, and expects that each one searches an index. */
    async function expectSearches(): Promise<void> {
      const plans = new Map<string, string>();
      for (const command of heard.flatMap(explainable)) {
        const text = JSON.stringify(command);
        if (!plans.has(text)) plans.set(text, await planOf(command));
      }
      expect(plans.size).toBeGreaterThan(0);
      for (const [command, plan] of plans) {
        if (isSimple && command.includes('"_id":{')) continue;
        expect({ command, plan }).toEqual({
          command,
          plan: expect.stringMatching(/IXSCAN|IDHACK|EXPRESS|COUNT_SCAN/),
        });
        expect({ command, plan }).toEqual({ command, plan: expect.not.stringMatching(/COLLSCAN/) });
        if (!isSimple)
          expect({ command, plan }).toEqual({ command, plan: expect.not.stringMatching(/"SORT"/) });
      }
    }

    async function planOf(command: Document): Promise<string> {
      const answer = await database.command({ explain: command, verbosity: 'queryPlanner' });
      const stages: unknown[] = [];
      JSON.stringify(answer, (key, value: unknown) => {
        if (key === 'rejectedPlans') return undefined;
        if (['stage', 'indexName'].includes(key)) stages.push(value);
        return value;
      });
      return JSON.stringify(stages);
    }

    it('show a scan of the whole collection as a scan', async () => {
      const filter = { replicate: { $eq: 1 } };
      expect(await planOf({ find: 'samples', filter, sort: { specKey: 1 } })).toMatch(/COLLSCAN/);
    });

    it('on samples search the index of the filter, under every set of filters', async () => {
      const samples = new MongoSampleStore(connection, await countersOn(connection));
      const batch = buildBatch(5);
      await samples.record(batch, PROVENANCE);
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
        const chosen = names
          .filter((_, bit) => (set >> bit) % 2 === 1)
          .map((field) => [field, fields[field]]);
        const filter = Object.fromEntries(chosen) as SampleFilter;
        for (const outcome of [filter.outcome, 'ok'] as const) {
          const { nextCursor } = await samples.list({ ...filter, outcome }, { limit: 2 });
          if (nextCursor !== null)
            await samples.list({ ...filter, outcome }, { limit: 2, cursor: nextCursor });
        }
      }
      await expectSearches();
    }, 60_000);

    it.each(Object.keys(QUERIES) as (keyof typeof QUERIES)[])('on %s search an index', async (port) => {
      const stores = {
        campaigns: new MongoCampaignStore(connection),
        samples: new MongoSampleStore(connection, await countersOn(connection)),
        fleet: new MongoFleetStore(connection),
        access: new MongoAccessStore(connection),
        audit: new MongoAuditStore(connection),
        models: new MongoModelStore(connection),
        datasets: new MongoDatasetStore(connection),
        kernelMaps: new MongoKernelMapStore(connection),
      };
      heard = [];
      const calls = Object.values(QUERIES[port]) as ((store: unknown) => Promise<unknown>)[];
      for (const call of calls) await call(stores[port]);
      await expectSearches();
    });
  });

/** Whether the server explains how it searches for documents. */
async function namesStages(uri: string): Promise<boolean> {
  const client = new MongoClient(uri);
  try {
    const command = { explain: { find: 'none', filter: {} }, verbosity: 'queryPlanner' };
    return JSON.stringify(await client.db('admin').command(command)).includes('"stage"');
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

/**
 * Returns the command without the fields of its session. For a write, returns the search for the documents to change.
 */
function explainable(command: Document): Document[] {
  const { find, filter, sort, hint, limit, projection } = command;
  if (find !== undefined) {
    const order = sort === undefined ? undefined : Object.fromEntries(sort as Map<string, 1 | -1>);
    return [without({ find, filter, sort: order, hint, limit, projection })];
  }
  const { aggregate, pipeline, cursor } = command;
  if (aggregate !== undefined) return [without({ aggregate, pipeline, cursor, hint })];
  const { update, updates, delete: from, deletes } = command;
  return ((updates ?? deletes) as { q: Document }[]).map(({ q }) => ({ find: update ?? from, filter: q }));
}

function without(command: Document): Document {
  return Object.fromEntries(Object.entries(command).filter(([, value]) => value !== undefined));
}
