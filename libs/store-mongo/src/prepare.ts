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
/** CommandNotSupported and NotImplemented: what a server that is not MongoDB's says of an option it lacks. */
const LACKING: readonly unknown[] = [115, 238];

/**
 * Brings the database to the newest version. Looks before it writes, so that a database that is not ours stays as it
 * is. Several may do this at the same time. Throws `StoreError`: `corrupt` when the database is another program's,
 * `unavailable` when a newer version of ours wrote it.
 */
export async function prepare(database: Db, address: Address, versions = VERSIONS): Promise<void> {
  const present = await versionOf(database, address);
  if (present > versions.length) {
    throw new StoreError(
      'unavailable',
      `${address.shown} was written by a newer version of alphaflops (database version ${present}; this program knows ` +
        `up to ${versions.length}). Use that version, or name another database; this one was left as it is.`,
    );
  }
  for (const [index, plans] of versions.entries()) {
    if (index < present) continue;
    for (const plan of plans) await make(database, plan);
    await documents(database).updateOne({ _id: 'version', version: index }, { $set: { version: index + 1 } });
  }
}

/** Whether the database checks what is written; the server may lack it. */
export async function isValidated(database: Db): Promise<boolean> {
  const found = await database.listCollections({ name: 'samples' }).toArray();
  const options = (found[0] as { options?: { validator?: unknown } } | undefined)?.options;
  return options?.validator !== undefined;
}

async function versionOf(database: Db, address: Address): Promise<number> {
  const names = (await database.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const known = await documents(database).findOne({ _id: 'version' });
  if (known !== null) return known.version;
  // Ours has its version before anything else.
  if (names.some((name) => name !== SCHEMA && !name.startsWith('system.'))) {
    throw new StoreError(
      'corrupt',
      `${address.shown} is a database of another program. Name another one; this one was left as it is.`,
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
  // One by one: FerretDB 1.24 drops the connection when several of one command are there already.
  for (const index of plan.indexes) {
    const { name, key, unique = false } = index;
    await ifNotLacking(
      () => collection.createIndexes([index]),
      // Every index without its partial filter finds the same, and is larger.
      () => collection.createIndexes([{ name, key, unique }]),
    );
  }
}

async function create(database: Db, name: string, options: object): Promise<void> {
  try {
    await database.createCollection(name, options);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error;
    // A later version may ask for another form.
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
