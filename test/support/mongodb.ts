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
  readonly stop: () => Promise<void>;
}

export async function startMongoServer(): Promise<MongoServer> {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
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
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
