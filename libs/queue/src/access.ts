import { Redis } from 'ioredis';
import { queueName } from './names.js';
import { connectionOptions, KEY_PREFIX, type RedisAddress, SILENCE_LIMIT_MS } from './redis.js';

/** What BullMQ's consuming end needs on its queue's keys (recovery of stalled jobs and giving back included), and no more. */
const COMMANDS =
  '+bzpopmin +client|setname +del +eval +evalsha +exists +get +hdel +hexists +hget +hgetall +hincrby +hmget ' +
  '+hmset +hset +incr +info +llen +lpos +lpush +lrange +lrem +ltrim +pexpire +ping +pttl +rpop +rpoplpush +rpush ' +
  '+sadd +scard +set +sismember +smembers +srem +type +xadd +xtrim +zadd +zcard +zcount +zpopmin +zrange ' +
  '+zrangebyscore +zrem +zremrangebyrank +zremrangebyscore +zrevrange +zrevrangebyscore +zscore';

/** Redis users, one per enrolled worker, each confined to the keys of its own measure queues. */
export class QueueAccess {
  private readonly redis: Redis;
  private readonly use: NodeJS.Timeout;

  constructor(address: RedisAddress, silenceLimitMs = SILENCE_LIMIT_MS) {
    this.redis = new Redis({ ...connectionOptions(address), socketTimeout: silenceLimitMs });
    this.redis.on('error', () => undefined);
    // A connection that nobody uses is not missed when its packets are dropped, nor is a Redis that is restarted then.
    this.use = setInterval(() => {
      if (this.redis.status === 'ready') this.redis.ping().catch(() => undefined);
    }, silenceLimitMs / 3).unref();
  }

  /**
   * Creates or replaces the worker's user. Redis keeps only the digest of the password.
   * @param passwordSha256 hex
   */
  async grant(username: string, passwordSha256: string, targetIds: readonly string[]): Promise<void> {
    const keys = targetIds.map((id) => `~${KEY_PREFIX}:${queueName('measure', id)}:*`);
    await this.redis.call('ACL', [
      'SETUSER',
      username,
      'reset',
      'on',
      `#${passwordSha256}`,
      'resetchannels',
      ...keys,
      ...COMMANDS.split(' '),
    ]);
  }

  /** Removes the user and cuts its connections. */
  async revoke(username: string): Promise<void> {
    await this.redis.call('ACL', ['DELUSER', username]);
  }

  /** Calls `listener` whenever the connection was lost and is there again. */
  onReconnect(listener: () => void): void {
    let lost = false;
    this.redis.on('close', () => (lost = true));
    this.redis.on('ready', () => {
      if (!lost) return;
      lost = false;
      listener();
    });
  }

  async ping(): Promise<void> {
    await this.redis.ping();
  }

  close(): void {
    clearInterval(this.use);
    this.redis.disconnect();
  }
}
