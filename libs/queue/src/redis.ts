import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Redis } from 'ioredis';

/** The address of Redis and the user for it. The password never appears in a message. */
export interface RedisAddress {
  /** `redis://host:port[/db]` or `rediss://…`; a user and password in it are used as well. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** The authorities to trust, for `rediss:`; by default those that Node knows. */
  trust?: ConnectionOptions | undefined;
}

export type QueueErrorCode =
  | 'bad-address'
  | 'redis-missing'
  | 'redis-unreachable'
  | 'redis-refused'
  | 'redis-evicts'
  | 'unknown-job'
  | 'bad-payload';

export class QueueError extends Error {
  constructor(
    readonly code: QueueErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'QueueError';
  }
}

/** The prefix of every key of every queue. */
export const KEY_PREFIX = 'alphaflops';

/**
 * If a command has no answer after this time, the network has dropped its packets without closing the connection. The
 * command is sent again on a new connection. This is longer than the 10 s for which BullMQ waits in Redis for work.
 */
export const SILENCE_LIMIT_MS = 15_000;

/**
 * Connection options for BullMQ, which wants commands to wait for a lost Redis rather than fail.
 * @throws QueueError `bad-address` when the URL is not one of Redis
 */
export function connectionOptions(address: RedisAddress) {
  const url = URL.canParse(address.url) ? new URL(address.url) : null;
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol)) {
    throw new QueueError('bad-address', 'REDIS_URL must look like redis://host:6379 or rediss://host:6379.');
  }
  const username = address.username ?? decodeURIComponent(url.username);
  const password = address.password ?? decodeURIComponent(url.password);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1) || 0),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(url.protocol === 'rediss:'
      ? { tls: { ...(isIP(host) === 0 && { servername: host }), ...address.trust } }
      : {}),
    maxRetriesPerRequest: null,
    // The timer of this option outlives the connection and would keep every process open for that time.
    disconnectTimeout: 100,
    retryStrategy: (attempt: number) => Math.min(100 * attempt, 2_000),
    socketTimeout: SILENCE_LIMIT_MS,
  };
}

/** The address for messages: without user and password. */
function describeAddress(address: RedisAddress): string {
  const url = new URL(address.url);
  return `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
}

/** Whether Redis refuses the user or the password. */
function isRefusal({ message }: Error): boolean {
  return /NOAUTH|WRONGPASS|NOPERM/.test(message);
}

/** Time limit for an answer of Redis. After it, the caller gets an error, but the command stays in the connection. */
const ANSWER_WITHIN_MS = 5_000;

/** @throws QueueError `redis-unreachable` when the answer takes too long */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new QueueError('redis-unreachable', 'Redis does not answer. Try again.'));
    }, ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    // The caller no longer waits, so a later failure is ignored.
    answer.catch(() => undefined);
  }
}

/**
 * Checks once that Redis answers, and that it keeps its data.
 * @throws QueueError `redis-unreachable`, `redis-refused` or `redis-evicts`, each with advice
 */
export async function assertRedisAnswers(address: RedisAddress, timeoutMs = 5_000): Promise<void> {
  const redis = new Redis({
    ...connectionOptions(address),
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: () => null,
  });
  // connect() may reject with only "Connection is closed". The cause arrives before it, as an event.
  let reason: Error | null = null;
  redis.on('error', (error) => (reason ??= error));
  try {
    await redis.connect();
    await redis.ping();
    assertKeepsKeys(await redis.info('memory'), address);
  } catch (cause) {
    if (cause instanceof QueueError) throw cause;
    const text = (reason as Error | null)?.message ?? (cause as Error).message;
    const refused = isRefusal(new Error(text));
    throw new QueueError(
      refused ? 'redis-refused' : 'redis-unreachable',
      refused
        ? `Redis at ${describeAddress(address)} refused the user or password (${text}).`
        : `Redis at ${describeAddress(address)} does not answer (${text}). Start it, or correct REDIS_URL.`,
      { cause },
    );
  } finally {
    redis.disconnect();
  }
}

/** A Redis that evicts keys drops queued work silently when its memory is full. */
function assertKeepsKeys(memory: string, address: RedisAddress): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === undefined || policy === 'noeviction') return;
  throw new QueueError(
    'redis-evicts',
    `Redis at ${describeAddress(address)} has maxmemory-policy ${policy}: with its memory full it would drop planned work. ` +
      'Set maxmemory-policy to noeviction, in redis.conf or by redis-cli CONFIG SET maxmemory-policy noeviction.',
  );
}
