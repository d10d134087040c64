import { MongoClient, type MongoClientOptions } from 'mongodb';
import { StoreError } from '@alphaflops/store';

/** The database when the address names no database. */
const DEFAULT_DATABASE = 'alphaflops';

/**
 * Settings for every operation. A majority of the replica set confirms each write; a single server confirms it after
 * it is in the journal. A confirmed write therefore survives a crash and an election. Reads return only confirmed
 * writes.
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

/** Limits that the address can override. */
const LIMITS_MS = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  // Longer than the limit of the server for one operation (MAX_TIME_MS): only a dead connection reaches this limit.
  socketTimeoutMS: 60_000,
  waitQueueTimeoutMS: 20_000,
};

/** The server aborts an operation after this time. */
export const MAX_TIME_MS = 30_000;

/** The address of a deployment. Only the driver receives the credentials in it. */
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

  /**
   * Returns a client that is not connected yet.
   * @throws StoreError `unavailable` when the driver does not accept the address
   */
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
    'The address of MongoDB is not valid. It must look like mongodb://user:password@host:27017/database or ' +
      'mongodb+srv://…, with the characters : / ? # [ ] @ of user and password percent-encoded. (This message does ' +
      'not repeat the address, because it may contain a password.)',
  );
}
