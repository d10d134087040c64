import { assertSafeToListen, type Config, readConfig, readPem, trustIn } from '@alphaflops/config';
import { errorText } from '@alphaflops/contracts';
import { assertRedisAnswers, QueueConnection } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { endWith } from './ending.js';

/** What a process of a deployment has from its beginning to its end. */
export interface ProcessParts {
  readonly config: Config;
  readonly stores: Stores;
  readonly queue: QueueConnection;
}

export interface RunningProcess {
  /** Begins to answer requests. */
  listen(): Promise<void>;
  /** Ends whatever uses the parts. */
  close(): Promise<void>;
}

export interface ProcessPlan {
  /** What to do where the configuration has no Redis. */
  readonly withoutRedis: string;
  readonly openStores: (config: Config) => Promise<Stores>;
  readonly start: (parts: ProcessParts) => Promise<RunningProcess>;
}

/**
 * The life of a process of a deployment: reads the configuration, opens queue and store, starts, listens, and ends with a
 * signal or with the process that started it. Exits with 1, and the reason on standard error, when it cannot begin.
 */
export async function runProcess(plan: ProcessPlan): Promise<void> {
  try {
    await run(plan);
  } catch (error) {
    console.error(errorText(error));
    process.exit(1);
  }
}

async function run({ withoutRedis, openStores, start }: ProcessPlan): Promise<void> {
  const config = readConfig();
  assertSafeToListen(config);
  if (config.redisUrl === null) throw new Error(withoutRedis);
  const ca = readPem(config.caFiles);
  const queueAddress = { url: config.redisUrl, ...(ca !== null && { trust: trustIn(ca) }) };
  await assertRedisAnswers(queueAddress);
  const stores = await openStores(config);
  const queue = new QueueConnection(queueAddress);
  const running = await start({ config, stores, queue });

  const stop = endWith(async () => {
    // Nest ends the HTTP server, the loops and the queue connections; then nobody uses the store any more.
    await running.close();
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
  await running.listen();
}
