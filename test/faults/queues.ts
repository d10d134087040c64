import { KEY_PREFIX, queueName } from '@alphaflops/queue';
import type { PrivateRedis } from '@alphaflops/queue/private-redis';
import { Redis } from 'ioredis';
import { setTimeout } from 'node:timers/promises';

/** Reads the queues directly, without the code of the product. */
export class Queues {
  private readonly redis: Redis;
  private closed = false;

  constructor(server: PrivateRedis) {
    this.redis = new Redis(server.port, {
      password: server.address.password ?? '',
      retryStrategy: () => 100,
      maxRetriesPerRequest: null,
      // The timer lives longer than the connection and would keep the process alive.
      disconnectTimeout: 100,
    });
    this.redis.on('error', () => undefined);
  }

  /** Returns how many times each active job was started. */
  async inWork(targetId: string): Promise<Map<string, number>> {
    const queue = `${KEY_PREFIX}:${queueName('measure', targetId)}`;
    const ids = await this.redis.lrange(`${queue}:active`, 0, -1);
    const begun = await Promise.all(ids.map((id) => this.redis.hget(`${queue}:${id}`, 'ats')));
    return new Map(ids.map((id, i) => [id, Number(begun[i] ?? 0)]));
  }

  /**
   * `before` holds the jobs that were active when a worker died. Resolves when each of them is active again or done,
   * with the time until the last one was started again; null when none had to be started again.
   */
  async begunAgainMs(targetId: string, before: ReadonlyMap<string, number>): Promise<number | null> {
    const from = performance.now();
    const queue = `${KEY_PREFIX}:${queueName('measure', targetId)}`;
    const open = new Map(before);
    let lastMs: number | null = null;
    while (open.size > 0 && !this.closed) {
      for (const [id, begun] of open) {
        const now = Number((await this.redis.hget(`${queue}:${id}`, 'ats')) ?? 0);
        // The job no longer exists: a live worker has finished it.
        if (now === begun) continue;
        open.delete(id);
        if (now > begun) lastMs = performance.now() - from;
      }
      await setTimeout(50);
    }
    return lastMs;
  }

  /** Returns what remains of jobs in Redis: states that contain jobs, and jobs without a state. */
  async leftovers(job: 'measure' | 'fit'): Promise<string[]> {
    const found: string[] = [];
    const states = ['wait', 'paused', 'active', 'delayed', 'prioritized', 'waiting-children', 'stalled'];
    if (job === 'measure') states.push('completed', 'failed');
    for (const key of await this.redis.keys(`${KEY_PREFIX}:${job}.*`)) {
      const name = key.slice(KEY_PREFIX.length + 1);
      const part = name.slice(name.indexOf(':') + 1);
      if (states.includes(part) || part.endsWith(':lock')) found.push(name);
      else if (job === 'measure' && /\.b\d+$/.test(part)) found.push(name);
    }
    return found;
  }

  close(): void {
    this.closed = true;
    this.redis.disconnect();
  }
}
