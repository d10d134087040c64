import { errorText as messageOf } from '@alphaflops/contracts/text';
import type { RedisAddress } from '@alphaflops/queue';
import { PrivateRedis, type PrivateRedisOptions } from '@alphaflops/queue/private-redis';

const LOOK_EVERY_MS = 2_000;

/** The private Redis. If it ends, it is started again with the same port, password and data. */
export class KeptRedis {
  private restarting: Promise<void> | null = null;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private redis: PrivateRedis,
    private readonly options: PrivateRedisOptions,
    private readonly say: (line: string) => void,
  ) {
    this.timer = setInterval(() => {
      if (!this.redis.isRunning) this.restarting ??= this.restart();
    }, LOOK_EVERY_MS);
  }

  /** @throws QueueError like `PrivateRedis.start` */
  static async start(options: PrivateRedisOptions, say: (line: string) => void): Promise<KeptRedis> {
    return new KeptRedis(await PrivateRedis.start(options), options, say);
  }

  get address(): RedisAddress {
    return this.redis.address;
  }

  get port(): number {
    return this.redis.port;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.restarting;
    await this.redis.stop();
  }

  private async restart(): Promise<void> {
    this.say('The private Redis has ended by itself; it is started again.');
    try {
      this.redis = await PrivateRedis.start(this.options);
    } catch (error) {
      this.say(`The private Redis does not start: ${messageOf(error)}`);
    } finally {
      this.restarting = null;
    }
  }
}
