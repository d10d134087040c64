import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readConfig } from '@alphaflops/config';
import { type MigrationProgress, StoreError, type Stores } from '@alphaflops/store';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import { CliError } from './error.js';

/** Address of a store. */
export type StoreAddress =
  | { readonly kind: 'sqlite'; readonly file: string }
  /** Contains credentials, so messages must not show it. */
  | { readonly kind: 'mongodb'; readonly uri: string };

/**
 * `sqlite:FILE` or `mongodb://…`, like ALPHAFLOPS_STORE. * @param option its name for the message; the message does not
 * contain the value, because it may contain a password
 * @throws CliError `usage`
 */
export function storeAddress(text: string, option: string): StoreAddress {
  if (/^sqlite:.+/.test(text)) return { kind: 'sqlite', file: resolve(text.slice('sqlite:'.length)) };
  if (/^mongodb(\+srv)?:\/\/.+/.test(text)) return { kind: 'mongodb', uri: text };
  throw new CliError('usage', `${option}: a store must be sqlite:FILE or mongodb://host/database.`);
}

/** The store of this deployment, according to the environment and the data directory. */
export function configuredStore(dataDirectory?: string): StoreAddress {
  const { mongodbUri, storeFile } = readConfig(
    dataDirectory === undefined ? {} : { ALPHAFLOPS_DATA_DIR: dataDirectory },
  );
  return mongodbUri === null ? { kind: 'sqlite', file: storeFile } : { kind: 'mongodb', uri: mongodbUri };
}

/** @throws StoreError `in-use` with the id of the process that has the file open; `unavailable`, `corrupt` */
export async function openStores(address: StoreAddress): Promise<Stores> {
  if (address.kind === 'sqlite') return openSqliteStores(address.file);
  // Loaded only if needed, because most commands start faster without it.
  const { openMongoStores } = await import('@alphaflops/store-mongo');
  return openMongoStores(address.uri);
}

/** The same for a store that must exist, because opening a missing file would make an empty store. */
export async function openExistingStores(address: StoreAddress): Promise<Stores> {
  if (address.kind === 'sqlite' && !existsSync(address.file)) {
    throw new CliError('usage', `There is no file ${address.file}.`);
  }
  return openStores(address);
}

/**
 * Protects the store of another deployment. * @throws StoreError `conflict` if the target has an admin token that the
 * source does not have
 */
export async function expectNoOther(source: Stores, target: Stores): Promise<void> {
  // Compared by digest, because the first token of every deployment has the same id.
  const ours = new Set((await source.access.tokens('admin')).map(({ hash }) => hash));
  const others = (await target.access.tokens('admin')).filter(({ hash }) => !ours.has(hash));
  if (others.length === 0) return;
  throw new StoreError(
    'conflict',
    'The target contains another deployment. It was not changed; name an empty store.',
  );
}

/** Shows the progress of a copy: in one line on a terminal, otherwise in one line for each kind of record. */
export function migrationProgress(
  output: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
): (progress: MigrationProgress) => void {
  let before: MigrationProgress | null = null;
  return (progress) => {
    const isNew = before?.kind !== progress.kind || before.stage !== progress.stage;
    before = progress;
    const { stage, kind, done } = progress;
    const text = `${stage === 'copy' ? 'copied' : 'verified'} ${kind}: ${done}`;
    if (output.isTTY) output.write(`${isNew ? '\n' : '\r'}  ${text}`);
    else if (isNew) output.write(`  ${text}${done === 0 ? '' : ' …'}\n`);
  };
}
