import { Redis } from 'ioredis';
import { connectionOptions, KEY_PREFIX, type RedisAddress, SILENCE_LIMIT_MS } from './redis.js';

/** The channel for notifications from one process to all others. */
const CHANNEL = `${KEY_PREFIX}:news`;
/** The key that shows whether Redis takes writes expires by itself. */
const WRITE_CHECK_KEPT_MS = 60_000;

/**
 * The connection to Redis that all queues of this process share, and a second one, opened when it is needed, on which
 * other processes tell their news.
 */
export class QueueConnection {
  /** For this library alone. */
  readonly client: Redis;
  private subscriber: Redis | null = null;
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    readonly address: RedisAddress,
    private readonly silenceLimitMs = SILENCE_LIMIT_MS,
  ) {
    this.client = this.open();
    // A connection without traffic does not notice that its packets are dropped.
    this.heartbeat = setInterval(() => {
      for (const redis of [this.client, this.subscriber]) {
        if (redis?.status === 'ready') redis.ping().catch(() => undefined);
      }
    }, silenceLimitMs / 3).unref();
  }

  /** Calls `listener` whenever the connection was lost and is there again. */
  onReconnect(listener: () => void): void {
    afterLoss(this.client, listener);
  }

  /** Reads and writes. @throws Error with the words of Redis when it refuses, as it does when its memory is full */
  async ping(): Promise<void> {
    await this.client.set(`${KEY_PREFIX}:write-check`, '1', 'PX', WRITE_CHECK_KEPT_MS);
  }

  /** Notifies all processes, including this one. A notification may be lost with a connection. */
  async tell(news: string): Promise<void> {
    await this.client.publish(CHANNEL, news);
  }

  /**
   * @param listener called with the notifications of all processes
   * @param onMissed called when something may have been missed
   */
  onNews(listener: (news: string) => void, onMissed: () => void): void {
    if (this.subscriber !== null) throw new Error('there is a listener already');
    const subscriber = this.open();
    this.subscriber = subscriber;
    subscriber.on('message', (_channel, news) => {
      listener(news);
    });
    afterLoss(subscriber, onMissed);
    // ioredis subscribes again by itself after a lost connection.
    subscriber.subscribe(CHANNEL).catch(() => undefined);
  }

  close(): void {
    clearInterval(this.heartbeat);
    this.client.disconnect();
    this.subscriber?.disconnect();
  }

  private open(): Redis {
    const redis = new Redis({ ...connectionOptions(this.address), socketTimeout: this.silenceLimitMs });
    // Lost connections are opened again; who waits for an answer has a time limit.
    redis.on('error', () => undefined);
    return redis;
  }
}

function afterLoss(redis: Redis, listener: () => void): void {
  let isLost = false;
  redis.on('close', () => (isLost = true));
  redis.on('ready', () => {
    if (!isLost) return;
    isLost = false;
    listener();
  });
}
