import { StoreError } from '@alphaflops/store';
import type { ClientSession, Collection, Document, Filter } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { isDuplicateKey } from './mongo-error.js';

export interface RecordDocument extends Document {
  _id: string;
  doc: string;
  /** Counts the changes, so that a writer does not overwrite a change that it has not seen. */
  revision: number;
}

/** More than the number of callers that change one record at the same time in practice. */
const MAX_ATTEMPTS = 1000;

/** Records stored as JSON, with copies of some fields for searching. */
export class Records<T extends { id: string | null }> {
  readonly collection: Collection<RecordDocument>;

  constructor(
    connection: Connection,
    readonly name: string,
    /** The copied fields. */
    private readonly fieldsOf: (record: T) => Document,
  ) {
    this.collection = connection.collection<RecordDocument>(name);
  }

  get(id: string): Promise<T | null> {
    return this.findOne({ _id: { $eq: id } });
  }

  /** Returns the first record that matches, or null. */
  async findOne(
    filter: Filter<RecordDocument>,
    order: { sort?: Record<string, 1 | -1>; hint?: string } = {},
  ): Promise<T | null> {
    const found = await this.collection.findOne(filter, { ...order, maxTimeMS: MAX_TIME_MS });
    return found === null ? null : this.parse(found);
  }

  async find(filter: Filter<RecordDocument>, sort: Record<string, 1 | -1> = {}): Promise<T[]> {
    const found = await this.collection.find(filter, { sort, maxTimeMS: MAX_TIME_MS }).toArray();
    return found.map((document) => this.parse(document));
  }

  /**
   * Inserts a record.
   * @param fields stored in addition to the fields of the record, and never changed
   * @throws the error of the driver when a unique value is already in use
   */
  async insert(id: string, record: T, fields: Document = {}): Promise<void> {
    await this.collection.insertOne({ _id: id, ...fields, ...this.written(record), revision: 1 });
  }

  /**
   * Returns the operation that stores or replaces a record. A record that cannot be read fails here, before anything
   * is written.
   */
  replacement(id: string, record: T): (session: ClientSession | undefined) => Promise<void> {
    const written = this.written(record);
    return async (session) => {
      await this.collection.updateOne(
        { _id: { $eq: id } },
        { $set: written, $inc: { revision: 1 } },
        { upsert: true, ...(session && { session }) },
      );
    };
  }

  /**
   * Changes the present record, also while other processes change it. Returns null when the record does not exist.
   * `change` may throw.
   */
  async change(id: string, change: (before: T) => T): Promise<T | null> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const found = await this.collection.findOne({ _id: { $eq: id } }, { maxTimeMS: MAX_TIME_MS });
      if (found === null) return null;
      const after = change(this.parse(found));
      const { matchedCount } = await this.collection.updateOne(
        { _id: { $eq: id }, revision: found.revision },
        { $set: this.written(after), $inc: { revision: 1 } },
      );
      if (matchedCount === 1) return after;
    }
    throw this.contended(id);
  }

  /**
   * Stores the result of `merge`, also while other processes change the record. `merge` receives the present record,
   * or null.
   */
  async merge(id: string, merge: (before: T | null) => T, session: ClientSession | undefined): Promise<T> {
    const inSession = session && { session };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const found = await this.collection.findOne(
        { _id: { $eq: id } },
        { maxTimeMS: MAX_TIME_MS, ...inSession },
      );
      const after = merge(found === null ? null : this.parse(found));
      if (found === null) {
        try {
          await this.collection.insertOne({ _id: id, ...this.written(after), revision: 1 }, { ...inSession });
          return after;
        } catch (error) {
          // This error has ended the transaction, which starts again.
          if (session !== undefined || !isDuplicateKey(error)) throw error;
          continue;
        }
      }
      const { matchedCount } = await this.collection.updateOne(
        { _id: { $eq: id }, revision: found.revision },
        { $set: this.written(after), $inc: { revision: 1 } },
        { ...inSession },
      );
      if (matchedCount === 1) return after;
    }
    throw this.contended(id);
  }

  parse(document: Pick<RecordDocument, '_id' | 'doc'>): T {
    return parseRecord(this.name, document) as T;
  }

  private contended(id: string): StoreError {
    return new StoreError(
      'unavailable',
      `${this.name}: ${id} is changed by too many requests at the same time. Try again.`,
    );
  }

  private written(record: T): { doc: string } & Document {
    return { ...this.fieldsOf(record), doc: JSON.stringify(record) };
  }
}

/** @throws StoreError `corrupt` when the text is not valid JSON */
export function parseRecord(collection: string, { _id, doc }: Pick<RecordDocument, '_id' | 'doc'>): unknown {
  try {
    return JSON.parse(doc);
  } catch (error) {
    throw new StoreError(
      'corrupt',
      `${collection}: the record ${_id} is damaged. Restore the database from a backup.`,
      { cause: error },
    );
  }
}
