import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { QueueConnection } from './connection.js';
import { PrivateRedis } from './private-redis.js';
import { assertRedisAnswers } from './redis.js';

/** A real Redis whose memory settings are changed. */
describe('a Redis that does not keep its data', () => {
  let directory: string;
  let server: PrivateRedis;
  let admin: Redis;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-redis-memory-'));
    server = await PrivateRedis.start({ directory });
    admin = new Redis(server.port, { password: server.address.password ?? '' });
  });
  afterEach(() => admin.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction'));
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
    await rm(directory, { recursive: true });
  });

  it.each(['allkeys-lru', 'volatile-lfu'])('is refused with the policy %s', async (policy) => {
    await admin.config('SET', 'maxmemory-policy', policy);
    await expect(assertRedisAnswers(server.address)).rejects.toMatchObject({
      code: 'redis-evicts',
      message: expect.stringMatching(
        new RegExp(`maxmemory-policy ${policy}.*CONFIG SET maxmemory-policy noeviction`),
      ),
    });
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await assertRedisAnswers(server.address);
  });

  it('fails the check with the message of Redis when its memory is full', async () => {
    const access = new QueueConnection(server.address);
    try {
      await access.ping();
      await admin.config('SET', 'maxmemory', '1');
      await expect(access.ping()).rejects.toThrow(/OOM command not allowed/);
    } finally {
      access.close();
    }
  });
});
