import type { Provenance } from '@alphaflops/contracts';
import type { ClientSession, Document } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { duplicatesIn } from './mongo-error.js';
import { documentsAfterId } from './pages.js';
import { parseRecord } from './records.js';

interface ProvenanceDocument extends Document {
  _id: string;
  doc: string;
}

const PAGE = 100;

export class ProvenanceRecords {
  private readonly collection;

  constructor(connection: Connection) {
    this.collection = connection.collection<ProvenanceDocument>('provenance');
  }

  /**
   * Returns the write operations for records. A record that cannot be read fails here, before anything is written. An
   * id is the digest of its record, so a stored record with the same id is equal.
   */
  addition(
    provenance: ReadonlyMap<string, Provenance>,
  ): (session: ClientSession | undefined) => Promise<void> {
    const documents = [...provenance].map(([_id, record]) => ({ _id, doc: JSON.stringify(record) }));
    return async (session) => {
      if (documents.length === 0) return;
      const options = session && { session };
      const ids = documents.map(({ _id }) => _id);
      const known = await this.collection
        .find({ _id: { $in: ids } }, { ...options, projection: { _id: 1 }, maxTimeMS: MAX_TIME_MS })
        .toArray();
      const knownIds = new Set(known.map(({ _id }) => _id));
      const missing = documents.filter(({ _id }) => !knownIds.has(_id));
      if (missing.length === 0) return;
      try {
        await this.collection.insertMany(missing, { ordered: false, ...options });
      } catch (error) {
        // After any error, a transaction ends and starts again. Without a transaction, the other records are stored.
        if (session !== undefined) throw error;
        duplicatesIn(error);
      }
    };
  }

  async get(id: string): Promise<Provenance | null> {
    const found = await this.collection.findOne({ _id: { $eq: id } }, { maxTimeMS: MAX_TIME_MS });
    return found === null ? null : this.parse(found);
  }

  async *all(): AsyncIterable<[id: string, record: Provenance]> {
    let after = '';
    for (;;) {
      const page = await documentsAfterId(this.collection, {}, after, PAGE);
      for (const document of page) yield [document._id, this.parse(document)];
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last._id;
    }
  }

  private parse(document: ProvenanceDocument): Provenance {
    return parseRecord('provenance', document) as Provenance;
  }
}
