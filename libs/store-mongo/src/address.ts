import { MongoClient, type MongoClientOptions } from 'mongodb';
import { StoreError } from '@alphaflops/store';

/** Where the records are when the address names no database. */
const DEFAULT_DATABASE = 'alphaflops';

/**
 * What holds for every operation. Writes are confirmed by a majority of the replica set, and by the journal where
 * there is only one server, so that a confirmed write survives a crash and an election; reads see only such writes.
 */
const SETTINGS = {
  appName: 'alphaflops',
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: 20_000 },
  readConcernLevel: 'majority',
  readPreference: 'primary',
  retryWrites: true,
  retryReads: true,
  ignoreUndefined: false,
} as const satisfies MongoClientOptions;

/** Limits that the address may set otherwise. */
const LIMITS_MS = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  // Longer than the server works on one operation (MAX_TIME_MS): only a connection that is dead gets there.
  socketTimeoutMS: 60_000,
  waitQueueTimeoutMS: 20_000,
};

/** The server gives an operation up then. */
export const MAX_TIME_MS = 30_000;

/** Address of a deployment. The credentials in it are given to the driver and to nobody else. */
export class Address {
  /** Hosts and database, for messages. */
  readonly shown: string;
  readonly database: string;

  constructor(
    private readonly uri: string,
    database?: string,
  ) {
    const parts = /^(mongodb(?:\+srv)?:\/\/)(?:[^@/?]*@)?([^@/?]+)(?:\/([^?]*))?(?:\?.*)?$/s.exec(uri);
    if (parts === null) throw badAddress();
    const [, scheme = '', hosts = '', path = ''] = parts;
    this.database = database ?? (path === '' ? DEFAULT_DATABASE : decoded(path));
    this.shown = `${scheme}${hosts}/${this.database}`;
  }

  /** A client that is not connected. Throws `StoreError('unavailable')` when the driver does not take the address. */
  client(limitsMs: Partial<typeof LIMITS_MS> = {}): MongoClient {
    const named = new Set([...this.uri.matchAll(/[?&]([^=&]+)=/g)].map(([, name]) => name?.toLowerCase()));
    const limits = Object.entries(LIMITS_MS).filter(([name]) => !named.has(name.toLowerCase()));
    try {
      return new MongoClient(this.uri, { ...SETTINGS, ...Object.fromEntries(limits), ...limitsMs });
    } catch {
      // The driver's message and its cause may repeat the address with the password in it.
      throw badAddress();
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badAddress();
  }
}

function badAddress(): StoreError {
  return new StoreError(
    'unavailable',
    'The address of MongoDB is not one: it must look like mongodb://user:password@host:27017/database or ' +
      'mongodb+srv://…, with the characters : / ? # [ ] @ of user and password percent-encoded. (It is not repeated ' +
      'here, as it may hold a password.)',
  );
}
