import { TokensService } from '@alphaflops/enrolment';
import { type ProcessParts, type RunningProcess, runProcess } from '@alphaflops/operations';
import { createApp } from './create-app.js';
import { serveQueueBoard } from './queue-board.js';

/** The message to the process that started us, once we answer requests. */
export interface ReadyMessage {
  type: 'ready';
  url: string;
  /** Only when it was made just now. */
  adminToken: string | null;
  /** The store, for people. */
  store: string;
}

async function start(parts: ProcessParts): Promise<RunningProcess> {
  const { config, stores, queue } = parts;
  const app = await createApp(parts);
  const closeBoard = config.queueBoard
    ? serveQueueBoard(app, stores.access, stores.campaigns, queue)
    : () => Promise.resolve();
  return {
    listen: async () => {
      const tokens = app.get(TokensService);
      const adminToken = process.argv.includes('--new-admin-token')
        ? await tokens.replaceAdmin()
        : await tokens.createFirstAdmin();
      await app.listen(config.port, config.host);
      // Longer than clients and proxies keep an idle connection: who closes first must not be the one who is asked next.
      app.getHttpServer().keepAliveTimeout = 75_000;
      const url = await app.getUrl();
      if (process.send === undefined) {
        console.log(`alphaflops coordinator: ${url} (API page: ${url}/docs)\nstore: ${stores.description}`);
        if (adminToken !== null) console.log(`admin token, shown only now: ${adminToken}`);
      } else {
        process.send({ type: 'ready', url, adminToken, store: stores.description } satisfies ReadyMessage);
      }
    },
    close: async () => {
      // A request for work that has just been answered leaves its connection open, and the server waits for that.
      setInterval(() => {
        app.getHttpServer().closeIdleConnections();
      }, 100).unref();
      await app.close();
      await closeBoard();
    },
  };
}

await runProcess({
  withoutRedis: 'Set REDIS_URL, or run "alphaflops up", which starts a Redis of its own.',
  // Only the one that is used is loaded: a driver takes a tenth of a second.
  openStores: async ({ mongodbUri, storeFile }) =>
    mongodbUri === null
      ? (await import('@alphaflops/store-sqlite')).openSqliteStores(storeFile)
      : (await import('@alphaflops/store-mongo')).openMongoStores(mongodbUri),
  start,
});
