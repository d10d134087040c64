import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { firstLine } from '@alphaflops/store/conformance';
import { MongoClient, type Db } from 'mongodb';
import { openMongoStores, type MongoOptions, type MongoStores } from './index.js';

/** The server is somebody's, on which nothing of ours may stay. */
let isLent = false;
const PROGRAM = join(import.meta.dirname, '../../../tools/mongodb-for-tests.mjs');

export type TestServer =
  { skip: string } | { skip?: never; server: string; replicaSet: string | null; standalone: string | null };

/** Servers for this test file, or why they are missing. They end with this process, or when `stop` is called. */
export async function startTestServer(): Promise<{ server: TestServer; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [PROGRAM], { stdio: 'pipe' });
  const gone = once(child, 'exit');
  const server = JSON.parse(await firstLine(child)) as TestServer | { error: string };
  if ('error' in server) throw new Error(server.error);
  // Jest runs no afterAll in a file whose tests are all skipped: nothing here may keep it from ending.
  const pipes = [child.stdin, child.stdout, child.stderr] as Socket[];
  for (const handle of [child, ...pipes]) handle.unref();
  isLent = server.skip === undefined && server.server === 'MONGODB_URI';
  return {
    server,
    stop: async () => {
      child.ref();
      child.stdin.end();
      await gone;
    },
  };
}

export interface TestStores {
  stores: MongoStores;
  /** The database beneath. */
  database: Db;
  cleanUp: () => Promise<void>;
}

/** Stores on a database of their own. */
export async function openTestStores(uri: string, options: MongoOptions = {}): Promise<TestStores> {
  const name = `alphaflops-test-${randomUUID()}`;
  const client = new MongoClient(uri);
  const stores = await openMongoStores(uri, { database: name, ...options });
  return {
    stores,
    database: client.db(name),
    cleanUp: async () => {
      await stores.close();
      // A server of our own is thrown away whole; dropping may have to wait for the transactions of killed processes.
      if (isLent) await client.db(name).dropDatabase();
      await client.close();
    },
  };
}
