import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { QueueConnection } from '@alphaflops/queue';
import { PrivateRedis } from '@alphaflops/queue/private-redis';

/** A process that requests or does work: an instance of a service with its own connection. */
interface Service {
  onApplicationBootstrap(): Promise<void>;
  onApplicationShutdown(): Promise<void>;
}

/** A Redis for one test file, and the services on it. */
export class TestRedis {
  private readonly open: (() => unknown)[] = [];

  private constructor(
    private readonly directory: string,
    private readonly redis: PrivateRedis,
  ) {}

  static async start(): Promise<TestRedis> {
    const directory = await mkdtemp(join(tmpdir(), 'alphaflops-fits-'));
    return new TestRedis(directory, await PrivateRedis.start({ directory }));
  }

  /** Starts a service like a separate process. */
  async run<S extends Service>(create: (connection: QueueConnection) => S): Promise<S> {
    const connection = new QueueConnection(this.redis.address);
    const service = create(connection);
    this.open.push(
      () => service.onApplicationShutdown(),
      () => {
        connection.close();
      },
    );
    await service.onApplicationBootstrap();
    return service;
  }

  /** Ends all services that were started. */
  async end(): Promise<void> {
    for (const end of this.open.splice(0)) await end();
  }

  async stop(): Promise<void> {
    await this.redis.stop();
    await rm(this.directory, { recursive: true });
  }
}

/** An answer must arrive within this time; a job that fails is tried again after 1 s. */
const ANSWER_WITHIN_MS = 15_000;

/** The first answer that is not null. @throws Error if no answer arrives in time */
export async function answered<T>(ask: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + ANSWER_WITHIN_MS;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== null) return answer;
    await setTimeout(20);
  }
  throw new Error(`no answer came within ${ANSWER_WITHIN_MS / 1000} s`);
}
