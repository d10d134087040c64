import { StoreError } from '@alphaflops/store';
import type { Connection } from './connection.js';
import { MIGRATIONS } from './schema.js';

/** Written into the file's header: “alpf”. */
const APPLICATION_ID = 0x616c7066;

/**
 * Migrates the file to the newest version. Checks before it writes, so that a file of another program is not changed.
 */
export function migrate(connection: Connection, migrations: readonly string[] = MIGRATIONS): void {
  const version = Number(connection.pragma('user_version'));
  const tables = connection.rows('SELECT count(*) FROM sqlite_schema')[0]?.[0];
  if (tables !== 0 && connection.pragma('application_id') !== APPLICATION_ID) {
    throw new StoreError(
      'corrupt',
      `${connection.file} is an SQLite database of another program. Name another file. This file was not changed.`,
    );
  }
  if (version > migrations.length) {
    throw new StoreError(
      'unavailable',
      `${connection.file} was written by a newer version of alphaflops (file version ${version}; this program knows ` +
        `up to ${migrations.length}). Use that version, or name another file. This file was not changed.`,
    );
  }
  connection.execute('PRAGMA journal_mode = WAL');
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    connection.transaction(() => {
      connection.execute(sql);
      connection.execute(`PRAGMA application_id = ${APPLICATION_ID}`);
      connection.execute(`PRAGMA user_version = ${index + 1}`);
    });
  }
}
