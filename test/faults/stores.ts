import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Stores } from '@alphaflops/store';
import { openMongoStores } from '@alphaflops/store-mongo';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import { startMongoServer } from '../support/mongodb.js';

export const STORES = ['sqlite', 'mongodb'] as const;
export type StoreKind = (typeof STORES)[number];

/** The store of a deployment, and its faults. */
export interface TestedStore {
  /** Description for the report. */
  readonly name: string;
  /**
   * Environment of the programs that use the store. `through` puts a proxy in front of the store and returns the port
   * of the proxy.
   */
  readonly settings: (through: (port: number) => Promise<number>) => Promise<Record<string, string>>;
  /** The store answers no request for this time. Resolves with a description. */
  readonly stop: (ms: number) => Promise<string>;
  /** SIGKILL, and a restart on the same files after this time. */
  readonly kill: (awayMs: number) => Promise<string>;
  /** Opens the store directly after the end of the deployment. */
  readonly open: () => Promise<Stores>;
  readonly close: () => Promise<void>;
}

export function sqliteStore(dataDirectory: string): TestedStore {
  const file = join(dataDirectory, 'alphaflops.sqlite');
  return {
    name: 'SQLite',
    settings: () => Promise.resolve({}),
    stop: async (ms) => {
      // Another process holds its write lock.
      const holder = fork(join(import.meta.dirname, 'store-lock.mjs'), [file, String(ms)], { execArgv: [] });
      await once(holder, 'exit');
      return 'SQLite file locked';
    },
    kill: () => Promise.reject(new Error('SQLite is part of the coordinator')),
    open: () => openSqliteStores(file),
    close: () => Promise.resolve(),
  };
}

/** Why no campaign can run on MongoDB; null when it can. */
export async function whyNoMongo(): Promise<string | null> {
  const server = await startMongoServer({ own: true });
  await server.stop();
  return server.skip;
}

/** @param transactions true: as on a replica set; false: as on a single server */
export async function mongoStore(transactions: boolean): Promise<TestedStore> {
  const server = await startMongoServer({ own: true });
  if (server.skip !== null) throw new Error(server.skip);
  const which = transactions ? 'replicaSet' : 'standalone';
  const uri = server.database({ withoutTransactions: !transactions });
  return {
    name: `MongoDB’s protocol, ${transactions ? 'with' : 'without'} transactions`,
    settings: async (through) => {
      const way = new URL(uri);
      way.port = String(await through(Number(way.port)));
      // A client that discovers the members of the replica set would connect to the server directly, without the
      // proxy.
      way.searchParams.set('directConnection', 'true');
      return { MONGODB_URI: way.href };
    },
    stop: async (ms) => {
      await server.fail(which, { stop: ms });
      return `${server.name ?? ''} stopped`;
    },
    kill: async (awayMs) => {
      await server.fail(which, { kill: awayMs });
      return server.name ?? '';
    },
    open: () => openMongoStores(uri),
    close: () => server.stop(),
  };
}
