import { type ClientSession, type Collection, type Db, type MongoClient, type Document } from 'mongodb';
import type { Abilities } from './abilities.js';
import type { Address } from './address.js';
import { isDuplicateKey, storeErrorFrom } from './mongo-error.js';

/** The maximum number of attempts for a transaction that conflicts with an insertion of another one. */
const MAX_ATTEMPTS = 20;

/** Work whose writes are part of the transaction of `session`. If `session` is undefined, each write is independent. */
export type Work<T> = (session: ClientSession | undefined) => Promise<T>;

/** One open database. */
export class Connection {
  constructor(
    private readonly client: MongoClient,
    private readonly database: Db,
    readonly address: Address,
    readonly abilities: Abilities,
  ) {}

  collection<T extends Document>(name: string): Collection<T> {
    return this.database.collection<T>(name);
  }

  /** Runs `work` and returns its result. Converts errors of MongoDB to `StoreError`s. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeErrorFrom(error, this.address.shown);
    }
  }

  /**
   * Runs `work` in one transaction, and repeats it after conflicts with other transactions. If the server has no
   * transactions, runs `work` once. `work` must therefore write in an order that can be repeated after a crash.
   */
  async atomically<T>(work: Work<T>): Promise<T> {
    if (!this.abilities.transactions) return this.attempt(() => work(undefined));
    return this.attempt(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.client.withSession((session) =>
            session.withTransaction(() => work(session), {
              readConcern: { level: 'snapshot' },
              writeConcern: { w: 'majority', journal: true, wtimeoutMS: 20_000 },
              maxCommitTimeMS: 20_000,
            }),
          );
        } catch (error) {
          // Another process inserted the same document in the meantime; the next attempt sees it.
          if (!isDuplicateKey(error) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    });
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
