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
  /** Why the server is missing; null when it is there. */
  readonly skip: string | null;
  /** Program and version; null without a server. */
  readonly name: string | null;
  /**
   * Address of a database of its own; where possible on a server without transactions, for a test that kills who writes:
   * what a killed process leaves open in a transaction holds the others up for a minute.
   */
  readonly database: (options?: { withoutTransactions?: boolean }) => string;
  /** Kills one of our own, or stops it; resolves when it answers again. */
  readonly fail: (
    which: 'replicaSet' | 'standalone',
    how: { kill: number } | { stop: number },
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** @param own one that may be made to fail, and not that of MONGODB_URI; what it confirmed is there after a kill */
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
