// Records batches without end, starting at the given index. Prints the index of each batch after its confirmation.
import { writeSync } from 'node:fs';
import { buildBatch, buildProvenance } from '@alphaflops/store/conformance';
import { openSqliteStores } from '@alphaflops/store-sqlite';

const [file, first, batchSize] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const provenance = buildProvenance();
const stores = await openSqliteStores(file);
for (let batchIndex = first; ; batchIndex++) {
  const batch = buildBatch(batchSize, batchIndex * batchSize, { batchIndex });
  await stores.samples.record(batch, new Map([[provenance.id, provenance.record]]));
  writeSync(1, `${batchIndex}\n`);
}
