import type { Provenance } from '@alphaflops/contracts';
import type { Connection } from './connection.js';

/** Inside a transaction. The id is the digest of the record: one that is there is the same. */
export function putProvenance(connection: Connection, provenance: ReadonlyMap<string, Provenance>): void {
  for (const [id, record] of provenance) {
    connection.run('INSERT INTO provenance (id, doc) VALUES (?, ?) ON CONFLICT (id) DO NOTHING', [
      id,
      JSON.stringify(record),
    ]);
  }
}
