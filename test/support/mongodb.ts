import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = resolve(import.meta.dirname, '../../tools/mongodb-for-tests.mjs');

type Answer =
  { skip: string } | { skip?: never; replicaSet: string | null; standalone: string | null; server: string };

/** A MongoDB for a test file; it ends when `stop` is called, or with this process. */
export interface MongoServer {
  /** Why there is none; null when there is one. */
  readonly skip: string | null;
  /** Program and version; null when there is none. */
  readonly name: string | null;
  /**
   * Address of a database of its own; where possible on a server without transactions, for a test that kills who writes:
   * what a killed process leaves open in a transaction holds the others up for a minute.
   */
  readonly database: (options?: { withoutTransactions?: boolean }) => string;
  /** What it is; empty without one. */
  readonly name: string;
  /** False for one that is somebody's, and not to be made to fail. */
  readonly isOurs: boolean;
  /** Kills a server, or stops it; resolves when it answers again. */
  readonly fail: (
    which: 'replicaSet' | 'standalone',
    how: { kill: number } | { stop: number },
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** @param durable what a server confirmed is there after it was killed */
export async function startMongoServer({ durable = false } = {}): Promise<MongoServer> {
  const args = durable ? ['--durable'] : [];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const answers = createInterface(child.stdout);
  const [line] = (await once(answers, 'line')) as [string];
  const answer = JSON.parse(line) as Answer;
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
    name: answer.skip === undefined ? answer.server : '',
    isOurs: answer.skip === undefined && answer.server !== 'MONGODB_URI',
    fail: async (server, how) => {
      child.stdin.write(`${JSON.stringify({ server, ...how })}\n`);
      await once(answers, 'line');
    },
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
