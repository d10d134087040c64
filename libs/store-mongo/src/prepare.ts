import { StoreError } from '@alphaflops/store';
import { MongoServerError, type Db } from 'mongodb';
import type { Address } from './address.js';
import { isDuplicateKey } from './mongo-error.js';
import { SCHEMA, VERSIONS, type CollectionPlan } from './schema.js';

interface VersionDocument {
  _id: 'version';
  version: number;
}

const NAMESPACE_EXISTS = 48;
/** CommandNotSupported and NotImplemented: the codes of a compatible server for an option that it lacks. */
const LACKING: readonly unknown[] = [115, 238];

/**
 * Migrates the database to the newest version. Checks before it writes, so that a database of another program is not
 * changed. Several processes may do this at the same time.
 * @throws StoreError `corrupt` when the database belongs to another program; `unavailable` when a newer version of
 * alphaflops wrote it
 */
export async function prepare(database: Db, address: Address, versions = VERSIONS): Promise<void> {
  const present = await versionOf(database, address);
  if (present > versions.length) {
    throw new StoreError(
      'unavailable',
      `${address.shown} was written by a newer version of alphaflops (database version ${present}; this program knows ` +
        `up to ${versions.length}). Use that version, or name another database. This database was not changed.`,
    );
  }
  for (const [index, plans] of versions.entries()) {
    if (index < present) continue;
    for (const plan of plans) await make(database, plan);
    await documents(database).updateOne({ _id: 'version', version: index }, { $set: { version: index + 1 } });
  }
}

/** Whether the database validates documents. Not every server has validators. */
export async function isValidated(database: Db): Promise<boolean> {
  const found = await database.listCollections({ name: 'samples' }).toArray();
  const options = (found[0] as { options?: { validator?: unknown } } | undefined)?.options;
  return options?.validator !== undefined;
}

async function versionOf(database: Db, address: Address): Promise<number> {
  const names = (await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const known = await documents(database).findOne({ _id: 'version' });
  if (known !== null) return known.version;
  // A database of alphaflops gets its version before any other document.
  if (names.some((name) => name !== SCHEMA && !name.startsWith('system.'))) {
    throw new StoreError(
      'corrupt',
      `${address.shown} is a database of another program. Name another database. This database was not changed.`,
    );
  }
  try {
    await documents(database).insertOne({ _id: 'version', version: 0 });
    return 0;
  } catch (error) {
    if (isDuplicateKey(error)) return versionOf(database, address);
    throw error;
  }
}

function documents(database: Db) {
  return database.collection<VersionDocument>(SCHEMA);
}

async function make(database: Db, plan: CollectionPlan): Promise<void> {
  const validator = {
    validator: { $jsonSchema: plan.form },
    validationLevel: 'strict',
    validationAction: 'error',
  };
  await ifNotLacking(
    () => create(database, plan.name, validator),
    () => create(database, plan.name, {}),
  );
  const collection = database.collection(plan.name);
  // One index per command: FerretDB 1.24 drops the connection when several indexes of one command already exist.
  for (const index of plan.indexes) {
    const { name, key, unique = false } = index;
    await ifNotLacking(
      () => collection.createIndexes([index]),
      // An index without its partial filter finds the same documents, but is larger.
      () => collection.createIndexes([{ name, key, unique }]),
    );
  }
}

async function create(database: Db, name: string, options: object): Promise<void> {
  try {
    await database.createCollection(name, options);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error;
    // A later version may require another form.
    if (Object.keys(options).length > 0) await database.command({ collMod: name, ...options });
  }
}

async function ifNotLacking(full: () => Promise<unknown>, plain: () => Promise<unknown>): Promise<void> {
  try {
    await full();
  } catch (error) {
    if (!(error instanceof MongoServerError) || !LACKING.includes(error.code)) throw error;
    await plain();
  }
}
