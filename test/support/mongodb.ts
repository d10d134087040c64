import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { firstLine } from '@alphaflops/store/conformance';

const PROGRAM = resolve(import.meta.dirname, '../../tools/mongodb-for-tests.mjs');

type Answer =
  { skip: string } | { skip?: never; replicaSet: string | null; standalone: string | null; server: string };

/** A MongoDB for a test file; it ends when `stop` is called, or with this process. */
export interface MongoServer {
  /** Why the server is missing; null if it exists. */
  readonly skip: string | null;
  /** Program and version; null without a server. */
  readonly name: string | null;
  /**
   * Returns the address of a new database. For a test that kills writers, it is on a server without transactions if
   * possible: an open transaction of a killed process delays other processes for a minute.
   */
  readonly database: (options?: { withoutTransactions?: boolean }) => string;
  /** Kills or stops one of our own servers. Resolves when the server answers again. */
  readonly fail: (
    which: 'replicaSet' | 'standalone',
    how: { kill: number } | { stop: number },
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** @param own a server that the test may kill, not the server of MONGODB_URI; its confirmed writes survive a kill */
export async function startMongoServer({ own = false } = {}): Promise<MongoServer> {
  const child = spawn(process.execPath, [PROGRAM, ...(own ? ['--durable'] : [])], {
    stdio: 'pipe',
    env: { ...process.env, ...(own && { MONGODB_URI: '' }) },
  });
  const gone = once(child, 'exit');
  const answer = JSON.parse(await firstLine(child)) as Answer | { error: string };
  if ('error' in answer) throw new Error(answer.error);
  const answers = createInterface(child.stdout);
  const { replicaSet, standalone } =
    answer.skip === undefined ? answer : { replicaSet: null, standalone: null };
  return {
    skip: answer.skip ?? null,
    name: answer.skip === undefined ? answer.server : null,
    database: ({ withoutTransactions = false } = {}) => {
      const uri = new URL(
        (withoutTransactions ? (standalone ?? replicaSet) : (replicaSet ?? standalone)) ?? '',
      );
      uri.pathname = `/alphaflops-test-${randomUUID()}`;
      return uri.href;
    },
    fail: async (server, how) => {
      child.stdin.write(`${JSON.stringify({ server, ...how })}\n`);
      const [line] = (await once(answers, 'line')) as [string];
      const { error } = JSON.parse(line) as { error?: string };
      if (error !== undefined) throw new Error(`the ${server} did not come back: ${error}`);
    },
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
