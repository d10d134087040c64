import { type ClientSession, type Collection, type Db, type MongoClient, type Document } from 'mongodb';
import type { Abilities } from './abilities.js';
import type { Address } from './address.js';
import { isDuplicateKey, storeErrorFrom } from './mongo-error.js';

/** How often a transaction is begun again because another one took the place of one of its insertions. */
const MAX_ATTEMPTS = 20;

/** A work whose writes are part of `session`'s transaction; undefined: each write stands for itself. */
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

  /** Runs `work` and answers with its result; errors of MongoDB become `StoreError`s. */
  async attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeErrorFrom(error, this.address.shown);
    }
  }

  /**
   * Runs `work` in one transaction, again and again while others are in its way; without transactions once and
   * bare, so that `work` writes in an order that can be repeated after a crash.
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
          // Somebody inserted the same meanwhile; the next attempt sees it.
          if (!isDuplicateKey(error) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    });
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
