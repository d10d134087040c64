import { join } from 'node:path';
import { type ApiClient, createApiClient } from '@alphaflops/api-client';
import { assertSafeToListen, childEnvironment, type Config, httpUrl, localHost } from '@alphaflops/config';
import { z } from 'zod';
import { readCliFile, writeCliFile } from '../cli-file.js';
import { fetchTrusting } from '../connection.js';
import { CliError } from '../error.js';
import { Child } from './child.js';
import { lockDataDirectory, waitForStore } from './data-directory.js';
import { Supervisor } from './supervisor.js';
import { KeptRedis } from './kept-redis.js';
import { checkAddress } from './listen-check.js';
import { startOwnWorker } from './own-worker.js';
import { programOf } from './programs.js';

export interface StackOptions {
  readonly config: Config;
  readonly withWorker: boolean;
  readonly newAdminToken: boolean;
  readonly say: (line: string) => void;
  /** Ends the start; afterwards call `stop`. */
  readonly signal: AbortSignal;
}

const ReadySchema = z.object({
  type: z.literal('ready'),
  url: z.url(),
  adminToken: z.string().nullable(),
  store: z.string(),
});

/**
 * Redis, coordinator and a worker on this machine, from one data directory. `stop` ends the started programs in the
 * opposite order at any time, so that nothing is lost: the worker sends its result while the queue still runs.
 */
export class LocalStack {
  private readonly started: (() => Promise<void>)[] = [];
  private worker: Supervisor | null = null;
  private port = 0;
  /** The admin token, if it was made just now. */
  newToken: string | null = null;
  /** Readable description of the coordinator's store. */
  store = '';
  /** The admin token, if it is known on this machine. */
  token: string | null = null;

  constructor(private readonly options: StackOptions) {}

  /** Address of the coordinator for this machine. */
  get url(): string {
    return httpUrl(localHost(this.options.config.host), this.port, this.scheme);
  }

  private get scheme(): 'http' | 'https' {
    return this.options.config.tls === null ? 'http' : 'https';
  }

  /** Certificates that all programs on this machine trust: our own, with any names, and the given ones. */
  private get caFiles(): readonly string[] {
    const { tls, caFiles } = this.options.config;
    return tls === null ? caFiles : [tls.certFile, ...caFiles];
  }

  get api(): ApiClient {
    return createApiClient({ url: this.url, token: this.token ?? undefined, fetch: this.fetch });
  }

  get fetch(): typeof globalThis.fetch {
    return fetchTrusting(this.caFiles, this.options.config.proxies);
  }

  /** @throws CliError, QueueError, StoreError, ApiError; the reason of `signal` */
  async start(): Promise<void> {
    const { config, withWorker, signal, say } = this.options;
    assertSafeToListen(config);
    const lock = lockDataDirectory(config.dataDirectory);
    this.started.push(() => {
      lock.release();
      return Promise.resolve();
    });
    if (config.mongodbUri === null) await waitForStore(config.storeFile, signal);
    await checkAddress(config.host, config.port);
    const queue = await this.queueEnvironment();
    signal.throwIfAborted();
    await this.startCoordinator(queue);
    signal.throwIfAborted();
    if (!withWorker) return;
    if (this.token === null) {
      say(
        'No worker is started, because the admin token is not known on this machine. Start once with --new-admin-token.',
      );
      return;
    }
    const { dataDirectory } = config;
    const { url, api, caFiles } = this;
    const worker = await startOwnWorker({ dataDirectory, url, api, caFiles, say, signal });
    if (worker === null) return;
    this.worker = worker;
    this.started.push(async () => {
      say(
        'Stopping the worker. It finishes its current batch first; press Ctrl-C again to return the batch to the queue.',
      );
      await worker.stop();
      this.worker = null;
    });
  }

  /** Stops all started programs; resolves when they have ended. */
  async stop(): Promise<void> {
    for (let stop = this.started.pop(); stop !== undefined; stop = this.started.pop()) await stop();
  }

  /** Stops waiting for the current batch. */
  stopAtOnce(): void {
    this.worker?.signal('SIGQUIT');
  }

  /** The address of Redis for the coordinator: the given one, or that of a private Redis, which is started here. */
  private async queueEnvironment(): Promise<Record<string, string>> {
    const { config, say } = this.options;
    if (config.redisUrl !== null) return { REDIS_URL: config.redisUrl };
    const redis = await KeptRedis.start({ directory: join(config.dataDirectory, 'redis') }, say);
    this.started.push(() => redis.stop());
    const { password = '' } = redis.address;
    return { REDIS_URL: `redis://:${encodeURIComponent(password)}@127.0.0.1:${redis.port}` };
  }

  private async startCoordinator(queue: Readonly<Record<string, string>>): Promise<void> {
    const { config, newAdminToken, say, signal } = this.options;
    const { dataDirectory, host } = config;
    const launch = (port: number, args: readonly string[]) =>
      Child.start(programOf('coordinator'), args, {
        environment: childEnvironment({
          ...queue,
          ALPHAFLOPS_DATA_DIR: dataDirectory,
          ALPHAFLOPS_HOST: host,
          ALPHAFLOPS_PORT: String(port),
          ALPHAFLOPS_INSECURE: String(config.insecure),
          ALPHAFLOPS_PUBLIC_READ: String(config.publicRead),
          ALPHAFLOPS_CA: this.caFiles.join(':'),
          ...(config.tls !== null && {
            ALPHAFLOPS_TLS_CERT: config.tls.certFile,
            ALPHAFLOPS_TLS_KEY: config.tls.keyFile,
          }),
        }),
        logFile: join(dataDirectory, 'coordinator.log'),
      });
    const first = launch(config.port, newAdminToken ? ['--new-admin-token'] : []);
    const ready = await readyOf(first, signal);
    this.port = Number(new URL(ready.url).port || (this.scheme === 'http' ? 80 : 443));
    // Other programs use the port already, so it does not change.
    const supervisor = new Supervisor(first, {
      name: 'coordinator',
      launch: () => launch(this.port, []),
      say,
    });
    this.started.push(() => supervisor.stop());

    this.store = ready.store;
    this.newToken = ready.adminToken;
    this.token = ready.adminToken ?? readCliFile(dataDirectory)?.token ?? null;
    if (this.token === null) return;
    const ca = config.tls === null ? {} : { ca: config.tls.certFile };
    await writeCliFile(dataDirectory, { url: this.url, token: this.token, ...ca });
  }
}

/** Waits for the coordinator's first start. Only a failure of the first start becomes an error of the command. */
async function readyOf(coordinator: Child, signal: AbortSignal): Promise<z.infer<typeof ReadySchema>> {
  const stop = (): void => {
    coordinator.signal('SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  const first = await coordinator.firstMessage();
  signal.removeEventListener('abort', stop);
  if ('message' in first && !signal.aborted) return ReadySchema.parse(first.message);
  await coordinator.ended;
  signal.throwIfAborted();
  throw new CliError('failed', `The coordinator does not start: ${coordinator.logTail()}`);
}
