import { randomUUID } from 'node:crypto';
import { MongoServerError, type Db, type MongoClient } from 'mongodb';
import { SCHEMA } from './schema.js';

/** What the deployment can do beyond reading and writing one document. */
export interface Abilities {
  /** Several documents in one transaction: replica sets and sharded clusters. */
  readonly transactions: boolean;
  /** $jsonSchema validators in the database. */
  readonly validation: boolean;
}

/**
 * Whether a transaction that is given up leaves nothing behind. Tried and not only asked for, as servers of other
 * makers call themselves a replica set without having transactions.
 */
export async function hasTransactions(client: MongoClient, database: Db): Promise<boolean> {
  const hello = await database.admin().command({ hello: 1 });
  if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid') return false;
  const collection = database.collection<{ _id: string }>(SCHEMA);
  const probe = { _id: `probe-${randomUUID()}` };
  const session = client.startSession();
  try {
    session.startTransaction();
    await collection.insertOne({ ...probe }, { session });
    await session.abortTransaction();
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
    return false;
  } finally {
    await session.endSession();
  }
  const left = await collection.deleteOne(probe);
  return left.deletedCount === 0;
}
