import { storeConformance } from '@alphaflops/store/conformance';
import { openTestStores, startTestServer } from './server.spec-helper.js';

const { server, stop } = await startTestServer();
afterAll(stop);

if (server.skip !== undefined) {
  it.skip(`MongoDB keeps the store port (skipped: ${server.skip})`, () => undefined);
} else {
  const { replicaSet, standalone } = server;
  if (replicaSet === null)
    it.skip('MongoDB with transactions (skipped: the server is not a replica set)', () => undefined);
  else storeConformance(`MongoDB with transactions (${server.server})`, () => openTestStores(replicaSet));

  const bare = standalone ?? replicaSet;
  if (bare !== null) {
    storeConformance(`MongoDB without transactions (${server.server})`, () =>
      openTestStores(bare, { transactions: 'never' }),
    );
  }
}
