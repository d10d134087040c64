import { existsSync } from 'node:fs';
import { StoreError } from '@alphaflops/store';
import { Connection } from './connection.js';
import { createPrivate } from './file-lock.js';

/**
 * Writes a copy of the present state of the database to a new file (mode 0600), and checks the copy. A coordinator
 * may use the database at the same time.
 * @throws StoreError `not-found` when the file does not exist, `corrupt` when the file or the copy is damaged,
 * `unavailable` when a file cannot be read or written
 */
export function copySqliteStore(file: string, to: string): void {
  // Opening a missing file would create it.
  if (!existsSync(file)) throw new StoreError('not-found', `The store ${file} does not exist.`);
  createPrivate(to);
  withConnection(file, (source) => source.run('VACUUM INTO ?', [to]));
  const found = withConnection(to, (copy) => copy.rows('PRAGMA quick_check'));
  if (found[0]?.[0] !== 'ok') {
    throw new StoreError(
      'corrupt',
      `The copy of ${file} is damaged. The file itself is probably damaged too.`,
    );
  }
}

function withConnection<T>(file: string, work: (connection: Connection) => T): T {
  const connection = new Connection(file);
  try {
    return connection.attempt(() => work(connection));
  } finally {
    connection.close();
  }
}
