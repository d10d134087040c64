import { assertSafeToListen, type Config, readConfig, readPem, trustIn } from '@alphaflops/config';
import { errorText } from '@alphaflops/contracts';
import { assertRedisAnswers, QueueConnection } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { endWith } from './ending.js';

/** What a process of a deployment has from its start to its end. */
export interface ProcessParts {
  readonly config: Config;
  readonly stores: Stores;
  readonly queue: QueueConnection;
}

export interface RunningProcess {
  /** Starts to answer requests. */
  listen(): Promise<void>;
  /** Ends everything that uses the parts. */
  close(): Promise<void>;
}

export interface ProcessPlan {
  /** The advice when the configuration has no Redis. */
  readonly withoutRedis: string;
  readonly openStores: (config: Config) => Promise<Stores>;
  readonly start: (parts: ProcessParts) => Promise<RunningProcess>;
}

/**
 * Runs a process of a deployment: reads the configuration, opens queue and store, starts and listens. It ends on a signal,
 * or when the process that started it ends. If it cannot start, it writes the reason to standard error and exits with 1.
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
    // Nest ends the HTTP server, the loops and the queue connections. After that, nothing uses the store.
    await running.close();
    queue.close();
    await stores.close();
  });
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // Another alphaflops process started this one. When the parent ends, this one must end too.
  process.once('disconnect', stop);
  // The parent may have ended already.
  if (process.send !== undefined && !process.connected) {
    stop();
    return;
  }
  await running.listen();
}
