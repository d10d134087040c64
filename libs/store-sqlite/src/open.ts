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
 * Opens the database file for exclusive use by this process. If the file or its directory does not exist, creates it
 * with mode 0600 or 0700, because the file contains token hashes. Confirmed writes survive a kill of the process and,
 * because every commit is synced to the disk, a crash of the machine. Other programs may read the file at the same
 * time.
 *
 * @throws StoreError `in-use` when another process has the file open; `corrupt` when it is damaged or belongs to
 * another program; `unavailable` when it cannot be created, read or written, or when a newer version wrote it
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

/** Returns the real path of the file, so that all paths to the file share one lock. Creates the directory. */
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
      // A cache of 32 MiB, because the ids of a million samples are written in random order. A log of up to 16 MiB
      // before it is copied into the file, because every batch changes the ends of the indexes.
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

/** Runs `work` and converts errors of the file system to `StoreError`s. */
function inDirectoryOf<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const storeError = storeErrorFrom(error, file);
    if (storeError instanceof StoreError) throw storeError;
    const reason = errorText(error);
    throw new StoreError(
      'unavailable',
      `${file}: the store cannot be opened (${reason}). Make sure that the directory ${dirname(file)} exists and that ` +
        'this user can write to it, or name another file.',
      { cause: error },
    );
  }
}
