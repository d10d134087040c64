import { TokensService } from '@alphaflops/enrolment';
import { type ProcessParts, type RunningProcess, runProcess } from '@alphaflops/operations';
import { createApp } from './create-app.js';
import { serveQueueBoard } from './queue-board.js';

/** The message to the parent process when the coordinator answers requests. */
export interface ReadyMessage {
  type: 'ready';
  url: string;
  /** Only if it was just made. */
  adminToken: string | null;
  /** Readable description of the store. */
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
      // Longer than clients and proxies keep idle connections, so that the server never closes one while a request arrives.
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
      // An answered request for work keeps its connection open, and the server would wait for the connection.
      setInterval(() => {
        app.getHttpServer().closeIdleConnections();
      }, 100).unref();
      await app.close();
      await closeBoard();
    },
  };
}

await runProcess({
  withoutRedis: 'Set REDIS_URL, or run "alphaflops up", which starts its own Redis.',
  // Only the store in use is loaded, because a driver takes a tenth of a second.
  openStores: async ({ mongodbUri, storeFile }) =>
    mongodbUri === null
      ? (await import('@alphaflops/store-sqlite')).openSqliteStores(storeFile)
      : (await import('@alphaflops/store-mongo')).openMongoStores(mongodbUri),
  start,
});
