import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import getPort, { clearLockedPorts } from 'get-port';
import { Redis } from 'ioredis';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { connectionOptions, QueueError, type RedisAddress } from './redis.js';

export interface PrivateRedisOptions {
  /** Holds the append-only file, the configuration and the log. */
  directory: string;
  /** Name or path of the server program. */
  program?: string;
}

const StateSchema = z.object({ port: z.int(), password: z.string().min(1) });

/** Only this machine can connect to it. */
const BIND = '127.0.0.1';

/** A frozen server accepts connections but does not answer. */
const ANSWER_WITHIN_MS = 5_000;

/** How long the server may take to load its append-only file at the start, or to write it at the end. */
const READY_WITHIN_MS = 60_000;

/**
 * A private `redis-server`. Every write is in its append-only file before it is acknowledged, and port and password stay
 * the same over restarts. If a killed owner left its server running, the next owner takes it over.
 */
export class PrivateRedis {
  private constructor(
    readonly address: RedisAddress,
    readonly port: number,
    readonly pid: number,
  ) {}

  /** @throws QueueError `redis-missing` when the program is not installed, `redis-unreachable` when it does not start */
  static async start(options: PrivateRedisOptions): Promise<PrivateRedis> {
    const { directory } = options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const known = await readState(join(directory, 'private-redis.json'));
    if (known !== null) {
      const address = addressOf(known);
      const left = await answeringPid(address);
      if (left !== null) {
        await rebind(address);
        return new PrivateRedis(address, known.port, left);
      }
    }
    const state = {
      port: await freePort(known?.port),
      password: known?.password ?? randomBytes(24).toString('base64url'),
    };
    await writeFileAtomic(join(directory, 'private-redis.json'), JSON.stringify(state), { mode: 0o600 });
    await writeFile(join(directory, 'redis.conf'), configuration(state, options), { mode: 0o600 });

    // Its own process group: Ctrl-C in the terminal must not reach Redis, because Redis stops last.
    const child = spawn(options.program ?? 'redis-server', [join(directory, 'redis.conf')], {
      cwd: directory,
      detached: true,
      stdio: 'ignore',
    });
    try {
      await once(child, 'spawn');
    } catch (cause) {
      throw new QueueError(
        'redis-missing',
        `Cannot start ${options.program ?? 'redis-server'}. Install Redis (Debian, Ubuntu: apt-get install redis-server) or set REDIS_URL.`,
        { cause },
      );
    }
    child.unref();
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
      const address = addressOf(state);
      const pid = await answeringPid(address);
      if (pid !== null) return new PrivateRedis(address, state.port, pid);
      await setTimeout(20);
    }
    throw new QueueError(
      'redis-unreachable',
      `The private Redis did not come up (exit code ${child.exitCode ?? 'none yet'}). See ${join(directory, 'redis.log')}.`,
    );
  }

  /** Whether the process of the server exists. */
  get isRunning(): boolean {
    try {
      return process.kill(this.pid, 0);
    } catch {
      return false;
    }
  }

  /** Writes everything and ends the server, by force if it does not answer. Resolves when it is gone. */
  async stop(): Promise<void> {
    const redis = clientFor(this.address);
    try {
      if (await connected(redis)) await redis.call('SHUTDOWN', 'NOSAVE');
      else process.kill(this.pid, 'SIGKILL');
    } catch {
      // The server is gone or ends now: the connection breaks before an answer.
    } finally {
      redis.disconnect();
    }
    const deadline = Date.now() + READY_WITHIN_MS;
    while (this.isRunning) {
      if (Date.now() > deadline) throw new QueueError('redis-unreachable', 'The private Redis does not end.');
      await setTimeout(20);
    }
  }
}

function configuration(state: z.infer<typeof StateSchema>, options: PrivateRedisOptions): string {
  return [
    `bind ${BIND}`,
    'protected-mode yes',
    `port ${state.port}`,
    `requirepass ${state.password}`,
    `dir ${JSON.stringify(options.directory)}`,
    'daemonize no',
    'logfile redis.log',
    'loglevel notice',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

/** A server that an older version left running may accept connections from other machines. */
async function rebind(address: RedisAddress): Promise<void> {
  const redis = clientFor(address);
  try {
    await redis.connect();
    await redis.config('SET', 'bind', BIND);
  } finally {
    redis.disconnect();
  }
}

function addressOf({ port, password }: z.infer<typeof StateSchema>): RedisAddress {
  return { url: `redis://${BIND}:${port}`, password };
}

function clientFor(address: RedisAddress): Redis {
  const redis = new Redis({
    ...connectionOptions(address),
    lazyConnect: true,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  return redis;
}

/** Whether the server answers. @throws Error when no server runs, or when it refuses the password */
async function connected(redis: Redis): Promise<boolean> {
  const silence = new AbortController();
  try {
    return await Promise.race([
      redis.connect().then(() => true),
      setTimeout(ANSWER_WITHIN_MS, false, { signal: silence.signal }),
    ]);
  } finally {
    silence.abort();
  }
}

/** Process id of the server if it accepts this password and has finished loading. */
async function answeringPid(address: RedisAddress): Promise<number | null> {
  const redis = clientFor(address);
  try {
    if (!(await connected(redis))) return null;
    await redis.ping();
    const pid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1];
    return pid === undefined ? null : Number(pid);
  } catch {
    return null;
  } finally {
    redis.disconnect();
  }
}

async function readState(file: string): Promise<z.infer<typeof StateSchema> | null> {
  try {
    return StateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

/** The previous port, or another one if the previous port is in use. */
async function freePort(before: number | undefined): Promise<number> {
  // The library locks a port that it returned for some seconds, but a restart needs the same port again.
  clearLockedPorts();
  return getPort({ host: BIND, ...(before !== undefined && { port: before }) });
}
