import { randomUUID } from 'node:crypto';
import { MongoServerError, type Db, type MongoClient } from 'mongodb';
import { SCHEMA } from './schema.js';

/** The optional features of the deployment, in addition to reading and writing single documents. */
export interface Abilities {
  /** Transactions over several documents. Replica sets and sharded clusters have them. */
  readonly transactions: boolean;
  /** $jsonSchema validators in the database. */
  readonly validation: boolean;
}

/**
 * Whether the server supports transactions. Aborts a real transaction and checks that it leaves nothing behind,
 * because some compatible servers report themselves as a replica set although they have no transactions.
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
