import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { firstLine } from '@alphaflops/store/conformance';
import { MongoClient, type Db } from 'mongodb';
import { openMongoStores, type MongoOptions, type MongoStores } from './index.js';

/** Whether the server comes from the user (MONGODB_URI). The tests leave nothing on such a server. */
let isLent = false;
const PROGRAM = join(import.meta.dirname, '../../../tools/mongodb-for-tests.mjs');

export type TestServer =
  { skip: string } | { skip?: never; server: string; replicaSet: string | null; standalone: string | null };

/**
 * Starts servers for this test file, or returns why they are missing. They end with this process, or with a call of
 * `stop`.
 */
export async function startTestServer(): Promise<{ server: TestServer; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [PROGRAM], { stdio: 'pipe' });
  const gone = once(child, 'exit');
  const server = JSON.parse(await firstLine(child)) as TestServer | { error: string };
  if ('error' in server) throw new Error(server.error);
  // Jest runs no afterAll in a file whose tests are all skipped, so no handle may keep the process alive.
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
  /** The database of the stores. */
  database: Db;
  cleanUp: () => Promise<void>;
}

/** Opens stores on a new database. */
export async function openTestStores(uri: string, options: MongoOptions = {}): Promise<TestStores> {
  const name = `alphaflops-test-${randomUUID()}`;
  const client = new MongoClient(uri);
  const stores = await openMongoStores(uri, { database: name, ...options });
  return {
    stores,
    database: client.db(name),
    cleanUp: async () => {
      await stores.close();
      // The whole data of our own server is deleted later. A drop can wait for the transactions of killed processes.
      if (isLent) await client.db(name).dropDatabase();
      await client.close();
    },
  };
}
