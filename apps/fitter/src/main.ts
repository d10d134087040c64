import { readTls } from '@alphaflops/config';
import { ProcessLog, requestId } from '@alphaflops/http';
import { type ProcessParts, type RunningProcess, runProcess } from '@alphaflops/operations';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { FitterModule } from './fitter.module.js';

/**
 * The fit role as a separate process, beside coordinators with ROLES=api,record. An interrupted fit stays in the queue until
 * its model is published. Any number of fitters can share the queue.
 */
async function start(parts: ProcessParts): Promise<RunningProcess> {
  const { config } = parts;
  const app = await NestFactory.create<NestExpressApplication>(FitterModule.with(parts), {
    bodyParser: false,
    logger: new ProcessLog(config.log),
    ...(config.tls !== null && { httpsOptions: readTls(config.tls) }),
  });
  app.disable('x-powered-by');
  app.use(requestId);
  app.use(helmet());
  return {
    listen: async () => {
      await app.listen(config.fitterPort, config.host);
      console.log(`alphaflops fitter: ${await app.getUrl()}/healthz`);
    },
    close: () => app.close(),
  };
}

await runProcess({
  withoutRedis: 'Set REDIS_URL to the Redis of the coordinators.',
  // Only the store in use is loaded, because a driver takes a tenth of a second.
  openStores: async ({ mongodbUri, storeFile }) =>
    mongodbUri === null
      ? (await import('@alphaflops/store-sqlite')).openSqliteStores(storeFile)
      : (await import('@alphaflops/store-mongo')).openMongoStores(mongodbUri),
  start,
});
