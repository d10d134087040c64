import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenedStores } from '@alphaflops/store/conformance';
import { openSqliteStores } from './open.js';

/** `@alphaflops/store-sqlite/testing`: opens empty stores in a temporary folder, for one test. */
export async function openTemporaryStores(): Promise<OpenedStores> {
  const directory = await mkdtemp(join(tmpdir(), 'alphaflops-stores-'));
  const stores = await openSqliteStores(join(directory, 'store.sqlite'));
  return {
    stores,
    cleanUp: async () => {
      await stores.close();
      await rm(directory, { recursive: true });
    },
  };
}
