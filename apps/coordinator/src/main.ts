import { errorText } from '@alphaflops/contracts';
import { assertSafeToListen, readConfig, readPem, trustIn } from '@alphaflops/config';
import { TokensService } from '@alphaflops/enrolment';
import { endWith } from '@alphaflops/operations';
import { assertRedisAnswers, QueueConnection } from '@alphaflops/queue';
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

async function main(): Promise<void> {
  const config = readConfig();
  assertSafeToListen(config);
  if (config.redisUrl === null) {
    throw new Error('Set REDIS_URL, or run "alphaflops up", which starts a Redis of its own.');
  }
  const ca = readPem(config.caFiles);
  const queueAddress = { url: config.redisUrl, ...(ca !== null && { trust: trustIn(ca) }) };
  await assertRedisAnswers(queueAddress);
  // Only the one that is used is loaded: a driver takes a tenth of a second.
  const stores = await (config.mongodbUri === null
    ? (await import('@alphaflops/store-sqlite')).openSqliteStores(config.storeFile)
    : (await import('@alphaflops/store-mongo')).openMongoStores(config.mongodbUri));
  const queue = new QueueConnection(queueAddress);
  const app = await createApp({ config, stores, queue });

  const closeBoard = config.queueBoard
    ? serveQueueBoard(app, stores.access, stores.campaigns, queue)
    : () => Promise.resolve();

  const stop = endWith(async () => {
    // A request for work that has just been answered leaves its connection open, and the server waits for that.
    setInterval(() => {
      app.getHttpServer().closeIdleConnections();
    }, 100).unref();
    // Nest ends the HTTP server, the loops and the queue connections; then nobody uses the store any more.
    await app.close();
    await closeBoard();
    queue.close();
    await stores.close();
  });
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // Started by another process of ours: without it we would be left behind.
  process.once('disconnect', stop);
  // … and it may be gone already.
  if (process.send !== undefined && !process.connected) {
    stop();
    return;
  }

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
}

function fail(error: unknown): void {
  console.error(errorText(error));
  process.exit(1);
}

main().catch(fail);
