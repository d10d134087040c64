import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StoreError } from '@alphaflops/store';
import Database from 'libsql';
import { isBusy } from './sqlite-error.js';

/** Long enough for the holder to write its pid, or to finish its exit. */
const WAIT_MS = 250;

/**
 * Excludes other coordinators from a database file. The lock is an SQLite lock on `<file>.lock`, which uses a lock of
 * the operating system: the operating system releases it whenever the holder ends. `<file>.lock.pid` only names the
 * holder, and has no meaning while the lock is free. Both files must be on a local disk, because locks on network
 * file systems are not reliable.
 *
 * The process that holds the lock must not open this file or the database in any other way: closing any descriptor of
 * a file releases all POSIX locks that the process has on it (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export class FileLock {
  private constructor(
    private readonly database: Database.Database,
    private readonly pidFile: string,
  ) {}

  /**
   * Takes the lock.
   * @throws StoreError `in-use` with the pid of the holder when another process or store holds the lock
   */
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

  /** Releases the lock. Keeps the empty lock file: after a removal, two processes could lock an old and a new file. */
  release(): void {
    rmSync(this.pidFile, { force: true });
    this.database.exec('ROLLBACK');
    this.database.close();
  }
}

/** Creates an empty file that only its owner can read, unless the file exists. Does not open an existing file. */
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
      `${file} is already open in this process (pid ${pid}). Close that store first, or name another file.`,
    );
  }
  const holder = Number.isInteger(pid) ? `process ${pid}` : 'another process';
  return new StoreError(
    'in-use',
    `${file} is in use by ${holder}. Stop ${Number.isInteger(pid) ? `it (kill ${pid})` : 'it'} first, or name ` +
      'another file. Only one coordinator at a time can use an SQLite store; several coordinators need MongoDB.',
  );
}
