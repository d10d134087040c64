// Records batches without end, starting at the given index. Prints the index of each batch after its confirmation.
import { writeSync } from 'node:fs';
import { buildBatch, buildProvenance } from '@alphaflops/store/conformance';
import { openMongoStores } from '@alphaflops/store-mongo';

const [uri, database, transactions, first, batchSize] = process.argv.slice(2);
const provenance = buildProvenance();
const stores = await openMongoStores(uri, { database, transactions });
for (let batchIndex = Number(first); ; batchIndex++) {
  const batch = buildBatch(Number(batchSize), batchIndex * Number(batchSize), { batchIndex });
  await stores.samples.record(batch, new Map([[provenance.id, provenance.record]]));
  writeSync(1, `${batchIndex}\n`);
}
