import { setTimeout } from 'node:timers/promises';
import { StoreError } from '@alphaflops/store';
import Database from 'libsql';
import { isBusy, storeErrorFrom } from './sqlite-error.js';

export type SqlValue = string | number | null | Uint8Array;

/** How long a write waits for a lock of another program, such as a backup. */
const BUSY_LIMIT_MS = 5000;
/** … and how long the driver does so by itself, which keeps everybody in this process waiting, once the file is open. */
const DRIVER_WAITS_MS = 10;
/** Between two looks whether the lock is gone. */
const LOOK_AGAIN_MS = 50;

/**
 * One open database. The driver is synchronous, so what runs inside one `read` or `write` is not interleaved with
 * anything else in this process; the file lock keeps other processes of ours away.
 */
export class Connection {
  private readonly database: Database.Database;
  private readonly statements = new Map<string, Database.Statement>();

  constructor(readonly file: string) {
    try {
      this.database = new Database(file, { timeout: BUSY_LIMIT_MS });
    } catch (error) {
      throw new StoreError(
        'unavailable',
        `${file}: the file cannot be opened. Check that it is a file, and its mode.`,
        {
          cause: error,
        },
      );
    }
  }

  /** Runs `work` and answers with its result; errors of SQLite become `StoreError`s. */
  read<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(this.attempt(work));
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passes on what was thrown
      return Promise.reject(error);
    }
  }

  /**
   * The same inside one transaction: all of `work` is stored when the promise resolves, nothing when it rejects. While
   * another program holds the lock, others of this process have their turn.
   */
  async write<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + BUSY_LIMIT_MS;
    for (;;) {
      try {
        return this.attempt(() => this.transaction(work));
      } catch (error) {
        const isLocked = error instanceof StoreError && isBusy(error.cause);
        if (!isLocked || performance.now() > deadline) throw error;
      }
      await setTimeout(LOOK_AGAIN_MS);
    }
  }

  /** Called once the file is open: from then on nobody waits inside the driver. */
  waitOutside(): void {
    this.execute(`PRAGMA busy_timeout = ${DRIVER_WAITS_MS}`);
  }

  transaction<T>(work: () => T): T {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors, a full disk among them.
      if (this.database.inTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  attempt<T>(work: () => T): T {
    if (!this.database.open) {
      throw new StoreError('unavailable', `${this.file}: the store is closed. Open it again first.`);
    }
    try {
      return work();
    } catch (error) {
      throw storeErrorFrom(error, this.file);
    }
  }

  /** Rows as arrays of columns; all of them, so that no read transaction outlives the call. */
  rows(sql: string, values: readonly SqlValue[] = []): SqlValue[][] {
    return this.statement(sql, true).all(values) as SqlValue[][];
  }

  /** The first column of each row, parsed as JSON. The caller knows what it stored there. */
  documents(sql: string, values: readonly SqlValue[] = []): unknown[] {
    return this.rows(sql, values).map(([doc]) => this.parse(doc));
  }

  /** Throws `StoreError('corrupt')` when the text is no JSON. */
  parse(doc: SqlValue | undefined): unknown {
    try {
      return JSON.parse(String(doc));
    } catch (error) {
      throw new StoreError(
        'corrupt',
        `${this.file}: a stored record is damaged. Restore the file from a backup.`,
        {
          cause: error,
        },
      );
    }
  }

  /** Returns how many rows changed. */
  run(sql: string, values: readonly SqlValue[] = []): number {
    return this.statement(sql, false).run(values).changes;
  }

  /** Several statements without values. */
  execute(sql: string): void {
    this.database.exec(sql);
  }

  /** The value of a pragma; to set one, `execute` it. */
  pragma(name: 'user_version' | 'application_id'): SqlValue | undefined {
    return this.rows(`PRAGMA ${name}`)[0]?.[0];
  }

  /** The driver frees its file handles only when the statements are collected, so the log is copied back here. */
  close(): void {
    if (!this.database.open) return;
    try {
      this.execute('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // What is in the log is safe there: the next opening reads it.
    }
    this.statements.clear();
    this.database.close();
  }

  /** Values always go in as one array: a single object would be taken for named parameters. */
  private statement(sql: string, isQuery: boolean): Database.Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      if (isQuery) statement.raw();
      this.statements.set(sql, statement);
    }
    return statement;
  }
}
