import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeConformance } from '@alphaflops/store/conformance';
import { openSqliteStores } from './index.js';

storeConformance('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-sqlite-'));
  const stores = await openSqliteStores(join(directory, 'data.sqlite'));
  return {
    stores,
    cleanUp: async () => {
      await stores.close();
      await rm(directory, { recursive: true });
    },
  };
});
