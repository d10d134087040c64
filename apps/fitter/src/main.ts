import { errorText } from '@alphaflops/contracts';
import { assertSafeToListen, readConfig, readPem, readTls, trustIn } from '@alphaflops/config';
import { ProcessLog, requestId } from '@alphaflops/http';
import { endWith } from '@alphaflops/operations';
import { assertRedisAnswers, QueueConnection } from '@alphaflops/queue';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { FitterModule } from './fitter.module.js';

/**
 * The fit role as a process of its own, beside coordinators with ROLES=api,record. A fit that is broken off, by whatever,
 * stays in the queue until it is published; any number of fitters share the queue.
 */
async function main(): Promise<void> {
  const config = readConfig();
  assertSafeToListen(config);
  if (config.redisUrl === null) throw new Error('Set REDIS_URL, the one of the coordinators.');
  const ca = readPem(config.caFiles);
  const queueAddress = { url: config.redisUrl, ...(ca !== null && { trust: trustIn(ca) }) };
  await assertRedisAnswers(queueAddress);
  // Only the one that is used is loaded: a driver takes a tenth of a second.
  const stores = await (config.mongodbUri === null
    ? (await import('@alphaflops/store-sqlite')).openSqliteStores(config.storeFile)
    : (await import('@alphaflops/store-mongo')).openMongoStores(config.mongodbUri));
  const queue = new QueueConnection(queueAddress);
  const app = await NestFactory.create<NestExpressApplication>(FitterModule.with({ config, stores, queue }), {
    bodyParser: false,
    logger: new ProcessLog(config.log),
    ...(config.tls !== null && { httpsOptions: readTls(config.tls) }),
  });
  app.disable('x-powered-by');
  app.use(requestId);
  app.use(helmet());

  const stop = endWith(async () => {
    await app.close();
    queue.close();
    await stores.close();
  });
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  await app.listen(config.fitterPort, config.host);
  console.log(`alphaflops fitter: ${await app.getUrl()}/healthz`);
}

function fail(error: unknown): void {
  console.error(errorText(error));
  process.exit(1);
}

main().catch(fail);
