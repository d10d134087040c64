import type { Provenance } from '@alphaflops/contracts';
import type { Connection } from './connection.js';

/**
 * Stores provenance records. Call it inside a transaction. An id is the digest of its record, so a stored record with
 * the same id is equal.
 */
export function putProvenance(connection: Connection, provenance: ReadonlyMap<string, Provenance>): void {
  for (const [id, record] of provenance) {
    connection.run('INSERT INTO provenance (id, doc) VALUES (?, ?) ON CONFLICT (id) DO NOTHING', [
      id,
      JSON.stringify(record),
    ]);
  }
}
