import { Redis } from 'ioredis';
import { connectionOptions, KEY_PREFIX, type RedisAddress, SILENCE_LIMIT_MS } from './redis.js';

/** The channel for notifications from one process to all others. */
const CHANNEL = `${KEY_PREFIX}:news`;
/** The lifetime of the key that tests whether Redis accepts writes. */
const WRITE_CHECK_KEPT_MS = 60_000;

/**
 * The connection to Redis that all queues of this process share. A second connection, opened when it is needed, receives
 * the notifications of other processes.
 */
export class QueueConnection {
  /** Only for this library. */
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

  /** Calls `listener` whenever a lost connection is open again. */
  onReconnect(listener: () => void): void {
    afterLoss(this.client, listener);
  }

  /** Reads and writes a key. @throws Error with the message of Redis when it refuses, for example when its memory is full */
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
    if (this.subscriber !== null) throw new Error('a listener is registered already');
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
    // Lost connections are opened again. Callers that wait for an answer have their own time limit.
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
