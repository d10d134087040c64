import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ApiClient, createApiClient } from '@alphaflops/api-client';
import { PrivateRedis } from '@alphaflops/queue';
import { Redis } from 'ioredis';

const root = resolve(import.meta.dirname, '../..');
const COORDINATOR = join(root, 'apps/coordinator/dist/main.js');
const WORKER = join(root, 'apps/worker/dist/main.js');

/** A child process with everything it said. */
export interface Running {
  child: ChildProcess;
  output: () => string;
}

/**
 * A whole deployment of real processes in its own directory: Redis, coordinator, workers. The programs are those of
 * the build: run `npm run build` first.
 */
export class Stack {
  private readonly children: ChildProcess[] = [];
  private coordinator: Running | null = null;
  url = '';
  token = '';

  private constructor(
    readonly directory: string,
    private redisNow: PrivateRedis,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Stack> {
    const directory = await mkdtemp(join(tmpdir(), 'alphaflops-stack-'));
    const redis = await PrivateRedis.start({ directory: join(directory, 'redis') });
    const stack = new Stack(directory, redis, settings);
    await stack.startCoordinator();
    return stack;
  }

  get redis(): PrivateRedis {
    return this.redisNow;
  }

  /** Ends Redis as a crash does, and starts it again on the same files. */
  async crashRedis(): Promise<void> {
    process.kill(this.redis.pid, 'SIGKILL');
    await until(
      () => Promise.resolve(isAlive(this.redis.pid)),
      (alive) => !alive,
    );
    this.redisNow = await PrivateRedis.start({ directory: join(this.directory, 'redis') });
  }

  get api(): ApiClient {
    return createApiClient({ url: this.url, token: this.token });
  }

  /** Everything that the coordinator has said since it was started last. */
  get coordinatorOutput(): string {
    return this.coordinator?.output() ?? '';
  }

  get coordinatorPid(): number {
    return this.coordinator?.child.pid ?? 0;
  }

  async startCoordinator(): Promise<void> {
    const { password } = this.redis.address;
    const running = this.run(COORDINATOR, [], {
      REDIS_URL: `redis://:${password ?? ''}@127.0.0.1:${this.redis.port}`,
      ALPHAFLOPS_PORT: this.url === '' ? '0' : new URL(this.url).port,
    });
    this.coordinator = running;
    const ended = once(running.child, 'exit').then(() => {
      throw new Error(`the coordinator ended:\n${running.output()}`);
    });
    const [message] = (await Promise.race([once(running.child, 'message'), ended])) as [
      { url: string; adminToken: string | null },
    ];
    this.url = message.url;
    this.token = message.adminToken ?? this.token;
  }

  async stopCoordinator(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.coordinator?.child;
    if (child !== undefined) await end(child, signal);
  }

  /** Enrols a worker with a fresh join token and returns the path of its credentials. */
  async enrol(name: string, executor = 'fake'): Promise<string> {
    const { data } = await this.api.POST('/v1/join-tokens', { body: { name } });
    const credentials = join(this.directory, `${name}.json`);
    const joining = this.run(WORKER, [
      'join',
      this.url,
      ...['--token', data?.token ?? '', '--executor', executor, '--name', name, '--credentials', credentials],
    ]);
    const [code] = (await once(joining.child, 'exit')) as [number];
    if (code !== 0) throw new Error(`the worker could not join:\n${joining.output()}`);
    return credentials;
  }

  startWorker(credentials: string): Running {
    return this.run(WORKER, ['run', '--credentials', credentials]);
  }

  /** Empties Redis, as if its disk had been lost. */
  async forgetQueue(): Promise<void> {
    const redis = new Redis(this.redis.port, { password: this.redis.address.password ?? '' });
    await redis.flushall();
    redis.disconnect();
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => end(child, 'SIGKILL')));
    await this.redis.stop();
    await rm(this.directory, { recursive: true });
  }

  private run(program: string, args: string[], extra: Readonly<Record<string, string>> = {}): Running {
    const child = fork(program, args, {
      cwd: this.directory,
      silent: true,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.directory,
        ALPHAFLOPS_DATA_DIR: join(this.directory, 'data'),
        ...this.settings,
        ...extra,
      },
    });
    this.children.push(child);
    let text = '';
    child.stdout?.on('data', (piece: Buffer) => (text += piece.toString()));
    child.stderr?.on('data', (piece: Buffer) => (text += piece.toString()));
    return { child, output: () => text };
  }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Asks until the answer satisfies; the time limit is the test's own. */
export async function until<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
