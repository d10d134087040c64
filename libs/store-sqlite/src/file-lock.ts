import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StoreError } from '@alphaflops/store';
import Database from 'libsql';
import { isBusy } from './sqlite-error.js';

/** Long enough for a holder to write its pid, or to finish going away. */
const WAIT_MS = 250;

/**
 * Keeps other coordinators off a database file. The lock is an SQLite lock on `<file>.lock`, that is, one of the
 * operating system: it goes when the holder dies, however it dies. `<file>.lock.pid` only says who holds it, and
 * means nothing once the lock is free. Both lie on a local disk; locks on network file systems are not reliable.
 *
 * Neither this file nor the database may be opened by other means in the process that holds the lock: closing any
 * descriptor of a file drops all POSIX locks that the process has on it (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export class FileLock {
  private constructor(
    private readonly database: Database.Database,
    private readonly pidFile: string,
  ) {}

  /** Throws `StoreError('in-use')` with the holder's pid when the lock is taken. */
  static acquire(file: string): FileLock {
    const lockFile = `${file}.lock`;
    const pidFile = `${lockFile}.pid`;
    createPrivate(lockFile);
    const database = new Database(lockFile, { timeout: WAIT_MS });
    try {
      database.exec('BEGIN EXCLUSIVE');
      writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
      return new FileLock(database, pidFile);
    } catch (error) {
      if (database.inTransaction) database.exec('ROLLBACK');
      database.close();
      throw isBusy(error) ? inUse(file, pidFile) : error;
    }
  }

  /** The empty lock file stays: removing it would let a third process lock a new one beside a holder of the old. */
  release(): void {
    rmSync(this.pidFile, { force: true });
    this.database.exec('ROLLBACK');
    this.database.close();
  }
}

/** Creates an empty file that only its owner can read, unless there is one; an existing file is not opened. */
export function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!existsSync(file)) throw error;
  }
}

function inUse(file: string, pidFile: string): StoreError {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : NaN;
  if (pid === process.pid) {
    return new StoreError(
      'in-use',
      `${file} is open in this process already (pid ${pid}). Close that store first, or name another file.`,
    );
  }
  const holder = Number.isInteger(pid) ? `process ${pid}` : 'another process';
  return new StoreError(
    'in-use',
    `${file} is in use by ${holder}. Stop ${Number.isInteger(pid) ? `it (kill ${pid})` : 'it'} first, or name ` +
      'another file. One coordinator at a time can use an SQLite store; several need MongoDB.',
  );
}
