import type { Stores } from '@alphaflops/store';
import type { MongoClient } from 'mongodb';
import { hasTransactions, type Abilities } from './abilities.js';
import { Address, MAX_TIME_MS } from './address.js';
import { Connection } from './connection.js';
import { countersOn } from './counters.js';
import { MongoAccessStore } from './mongo-access-store.js';
import { MongoAuditStore } from './mongo-audit-store.js';
import { MongoCampaignStore } from './mongo-campaign-store.js';
import { storeErrorFrom } from './mongo-error.js';
import { MongoDatasetStore } from './mongo-dataset-store.js';
import { MongoFleetStore } from './mongo-fleet-store.js';
import { MongoKernelMapStore } from './mongo-kernel-map-store.js';
import { MongoModelStore } from './mongo-model-store.js';
import { MongoSampleStore } from './mongo-sample-store.js';
import { isValidated, prepare } from './prepare.js';
import { SCHEMA } from './schema.js';

export interface MongoOptions {
  /** Overrides the database that the address names. */
  database?: string;
  /** `never`: behaves as on a server without transactions. */
  transactions?: 'where-supported' | 'never';
  /** How long to search for a server that accepts writes. */
  serverSelectionTimeoutMs?: number;
}

export interface MongoStores extends Stores {
  readonly abilities: Abilities;
}

/**
 * Connects to MongoDB and creates the missing collections, indexes and validators of this version. Several
 * coordinators may share one database. A majority of the replica set holds every confirmed write.
 *
 * @throws StoreError `corrupt` when the database belongs to another program; `unavailable` when the server cannot be
 * reached or refuses the login, or when a newer version wrote the database. No message contains the credentials of
 * the address
 */
export async function openMongoStores(uri: string, options: MongoOptions = {}): Promise<MongoStores> {
  const address = new Address(uri, options.database);
  const { serverSelectionTimeoutMs: limitMs } = options;
  const client = address.client(limitMs === undefined ? {} : { serverSelectionTimeoutMS: limitMs });
  try {
    const connection = await connect(client, address, options.transactions ?? 'where-supported');
    return await storesOn(connection);
  } catch (error) {
    await client.close();
    throw storeErrorFrom(error, address.shown);
  }
}

async function connect(
  client: MongoClient,
  address: Address,
  transactions: NonNullable<MongoOptions['transactions']>,
): Promise<Connection> {
  await client.connect();
  const database = client.db(address.database);
  await prepare(database, address);
  return new Connection(client, database, address, {
    transactions: transactions !== 'never' && (await hasTransactions(client, database)),
    validation: await isValidated(database),
  });
}

async function storesOn(connection: Connection): Promise<MongoStores> {
  const pings = connection.collection<{ _id: string; at: Date }>(SCHEMA);
  return {
    abilities: connection.abilities,
    description: describe(connection),
    campaigns: new MongoCampaignStore(connection),
    samples: new MongoSampleStore(connection, await countersOn(connection)),
    fleet: new MongoFleetStore(connection),
    access: new MongoAccessStore(connection),
    audit: new MongoAuditStore(connection),
    models: new MongoModelStore(connection),
    datasets: new MongoDatasetStore(connection),
    kernelMaps: new MongoKernelMapStore(connection),
    ping: () =>
      connection.attempt(async () => {
        const options = { upsert: true, maxTimeMS: MAX_TIME_MS };
        await pings.updateOne({ _id: 'ping' }, { $set: { at: new Date() } }, options);
      }),
    close: () => connection.close(),
  };
}

function describe({ address, abilities: { transactions, validation } }: Connection): string {
  const lacks = [...(transactions ? [] : ['transactions']), ...(validation ? [] : ['validators'])];
  return `${address.shown}${lacks.length === 0 ? '' : `, a server without ${lacks.join(' and ')}`}`;
}
