import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errorText } from '@alphaflops/contracts';
import { makeDirectory } from '@alphaflops/config';
import { StoreError, type Stores } from '@alphaflops/store';
import { Connection } from './connection.js';
import { createPrivate, FileLock } from './file-lock.js';
import { migrate } from './migrate.js';
import { storeErrorFrom } from './sqlite-error.js';
import { SqliteAccessStore } from './sqlite-access-store.js';
import { SqliteAuditStore } from './sqlite-audit-store.js';
import { SqliteCampaignStore } from './sqlite-campaign-store.js';
import { SqliteDatasetStore } from './sqlite-dataset-store.js';
import { SqliteFleetStore } from './sqlite-fleet-store.js';
import { SqliteKernelMapStore } from './sqlite-kernel-map-store.js';
import { SqliteModelStore } from './sqlite-model-store.js';
import { SqliteSampleStore } from './sqlite-sample-store.js';

/**
 * Opens the database file for this process alone, and creates it (mode 0600) and its directory (0700) where missing:
 * token hashes are in it. What a promise of the store has confirmed survives a kill of the process and, as every
 * commit is synced to the disk, a crash of the machine. Other programs may read the file meanwhile.
 *
 * Throws `StoreError`: `in-use` when a process has it open, `corrupt` when it is damaged or not ours, `unavailable`
 * when it cannot be created, read or written, or was written by a newer version.
 */
export function openSqliteStores(file: string): Promise<Stores> {
  return new Promise((done) => {
    const path = prepareFile(resolve(file));
    const lock = inDirectoryOf(path, () => FileLock.acquire(path));
    try {
      done(storesOn(openDatabase(path), lock));
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** One name for the file however it is reached, so that one lock guards it. */
function prepareFile(file: string): string {
  return inDirectoryOf(file, () => {
    makeDirectory(dirname(file));
    return existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), basename(file));
  });
}

function openDatabase(file: string): Connection {
  inDirectoryOf(file, () => {
    createPrivate(file);
  });
  const connection = new Connection(file);
  try {
    connection.attempt(() => {
      migrate(connection);
      // FULL: each commit is synced. A batch of samples takes seconds to measure and a third of a millisecond to sync.
      connection.execute('PRAGMA synchronous = FULL');
      // 32 MiB of pages, as the ids of a million samples are written in random order; and 16 MiB of log before it is
      // copied into the file, as the ends of the indexes change with every batch.
      connection.execute('PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000');
      connection.waitOutside();
    });
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function storesOn(connection: Connection, lock: FileLock): Stores {
  let isOpen = true;
  return {
    description: `SQLite, ${connection.file}`,
    campaigns: new SqliteCampaignStore(connection),
    samples: new SqliteSampleStore(connection),
    fleet: new SqliteFleetStore(connection),
    access: new SqliteAccessStore(connection),
    audit: new SqliteAuditStore(connection),
    models: new SqliteModelStore(connection),
    datasets: new SqliteDatasetStore(connection),
    kernelMaps: new SqliteKernelMapStore(connection),
    ping: () =>
      connection.write(() => {
        const now = Date.now();
        connection.run('INSERT INTO ping (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = ?', [
          now,
          now,
        ]);
      }),
    close: () =>
      new Promise((done) => {
        if (isOpen) {
          isOpen = false;
          connection.close();
          lock.release();
        }
        done();
      }),
  };
}

/** Errors of the file system as errors of the store. */
function inDirectoryOf<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const storeError = storeErrorFrom(error, file);
    if (storeError instanceof StoreError) throw storeError;
    const reason = errorText(error);
    throw new StoreError(
      'unavailable',
      `${file}: the store cannot be opened, as its directory ${dirname(file)} must exist or be creatable, and be ` +
        `writable by this user (${reason}). Correct that, or name another file.`,
      { cause: error },
    );
  }
}
