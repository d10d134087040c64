import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Stores } from '@alphaflops/store';
import { openMongoStores } from '@alphaflops/store-mongo';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import { startMongoServer } from '../support/mongodb.js';

export const STORES = ['sqlite', 'mongodb'] as const;
export type StoreKind = (typeof STORES)[number];

/** The store of a deployment, and what can be done to it. */
export interface TestedStore {
  /** What it is, for the report. */
  readonly name: string;
  /** Environment of the programs that use it. `through` puts a proxy before it, and answers with the port of that. */
  readonly settings: (through: (port: number) => Promise<number>) => Promise<Record<string, string>>;
  /** It answers nobody for so long. Resolves with what was done. */
  readonly stop: (ms: number) => Promise<string>;
  /** SIGKILL, and started again on its files after so long. */
  readonly kill: (awayMs: number) => Promise<string>;
  /** Opens it past the deployment, which has ended. */
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

/** @param transactions as on a replica set; else as on a single server */
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
      // A client that looks for the members of the replica set would find the server itself, past the proxy.
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
