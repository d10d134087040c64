import { setTimeout } from 'node:timers/promises';
import { StoreError } from '@alphaflops/store';
import Database from 'libsql';
import { isBusy, storeErrorFrom } from './sqlite-error.js';

export type SqlValue = string | number | null | Uint8Array;

/** How long a write waits for a lock of another program, such as a backup. */
const BUSY_LIMIT_MS = 5000;
/** How long the driver itself waits for a lock after the file is open. It blocks the whole process during this time. */
const DRIVER_WAITS_MS = 10;
/** The pause between two attempts to get the lock. */
const LOOK_AGAIN_MS = 50;

/**
 * One open database. The driver is synchronous, so the work inside one `read` or `write` is not interleaved with
 * other work of this process. The file lock excludes other alphaflops processes.
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
        `${file}: the file cannot be opened. Check that it is a regular file, and check its permissions.`,
        {
          cause: error,
        },
      );
    }
  }

  /** Runs `work` and returns its result. Converts errors of SQLite to `StoreError`s. */
  read<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(this.attempt(work));
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- rejects with the thrown value
      return Promise.reject(error);
    }
  }

  /**
   * Runs `work` in one transaction: everything is stored when the promise resolves, nothing when it rejects. While
   * another program holds the lock, other work of this process can run.
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

  /** Sets the short wait of the driver. Called when the file is open. */
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
      // After some errors, for example a full disk, SQLite has already rolled back.
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

  /**
   * Returns all rows, each as an array of columns. It reads all of them, so that the read transaction ends with the
   * call.
   */
  rows(sql: string, values: readonly SqlValue[] = []): SqlValue[][] {
    return this.statement(sql, true).all(values) as SqlValue[][];
  }

  /** Returns the first column of each row, parsed as JSON. The caller knows the type of the stored records. */
  documents(sql: string, values: readonly SqlValue[] = []): unknown[] {
    return this.rows(sql, values).map(([doc]) => this.parse(doc));
  }

  /** @throws StoreError `corrupt` when the text is not valid JSON */
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

  /** Runs one or more statements without values. */
  execute(sql: string): void {
    this.database.exec(sql);
  }

  /** Returns the value of a pragma. Use `execute` to set a pragma. */
  pragma(name: 'user_version' | 'application_id'): SqlValue | undefined {
    return this.rows(`PRAGMA ${name}`)[0]?.[0];
  }

  /**
   * Closes the database. Copies the log into the file first, because the driver closes its files only after a garbage
   * collection.
   */
  close(): void {
    if (!this.database.open) return;
    try {
      this.execute('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The data in the log is safe: the next process that opens the file reads it.
    }
    this.statements.clear();
    this.database.close();
  }

  /** Prepares a statement once. Pass its values as one array: the driver treats a single object as named parameters. */
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
