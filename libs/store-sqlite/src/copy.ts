import { existsSync } from 'node:fs';
import { StoreError } from '@alphaflops/store';
import { Connection } from './connection.js';
import { createPrivate } from './file-lock.js';

/**
 * Writes a copy of the database as it is at this moment to a new file (mode 0600), also while a coordinator uses it, and
 * checks the copy. Throws `StoreError`: `not-found`, `corrupt`, `unavailable`.
 */
export function copySqliteStore(file: string, to: string): void {
  // Opening what is not there would make it.
  if (!existsSync(file)) throw new StoreError('not-found', `There is no store ${file}.`);
  createPrivate(to);
  withConnection(file, (source) => source.run('VACUUM INTO ?', [to]));
  const found = withConnection(to, (copy) => copy.rows('PRAGMA quick_check'));
  if (found[0]?.[0] !== 'ok') {
    throw new StoreError('corrupt', `The copy of ${file} is damaged, and so is the file, probably.`);
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
