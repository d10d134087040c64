import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, createApiClient } from '@alphaflops/api-client';
import { PrivateRedis } from '@alphaflops/queue/private-redis';
import { Redis } from 'ioredis';
import { TEST_DOUBLES } from './test-doubles.js';

const root = resolve(import.meta.dirname, '../..');
const COORDINATOR = join(root, 'apps/coordinator/dist/main.js');
const WORKER = join(root, 'apps/worker/dist/main.js');
const FITTER = join(root, 'apps/fitter/dist/main.js');

/** A child process with its whole output. */
export interface Running {
  name: string;
  child: ChildProcess;
  output: () => string;
}

/** Puts a proxy between two processes. Receives the port of the server and returns the port of the proxy. */
export interface Routes {
  coordinatorToRedis: (port: number) => Promise<number>;
  workersToCoordinator: (port: number) => Promise<number>;
}

const DIRECT: Routes = {
  coordinatorToRedis: (port) => Promise.resolve(port),
  workersToCoordinator: (port) => Promise.resolve(port),
};

/**
 * A whole deployment of real processes in its own directory: Redis, coordinator, workers. It uses the programs of the
 * build: run `npm run build` first.
 */
export class Stack {
  private readonly children: Running[] = [];
  private coordinator: Running | null = null;
  private isStopped = false;
  /** Workers that ended with an error before they wrote a log line. */
  private readonly unableToStart: Running[] = [];
  url = '';
  token = '';

  private constructor(
    readonly directory: string,
    private redisNow: PrivateRedis,
    private readonly settings: Readonly<Record<string, string>>,
    private readonly routes: Routes,
  ) {}

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Stack> {
    const stack = await Stack.prepare(settings);
    await stack.startCoordinator();
    return stack;
  }

  /** All processes except the coordinator. */
  static async prepare(
    settings: Readonly<Record<string, string>>,
    routes: Routes = DIRECT,
    directory?: string,
  ): Promise<Stack> {
    const home = directory ?? (await mkdtemp(join(tmpdir(), 'alphaflops-stack-')));
    const redis = await PrivateRedis.start({ directory: join(home, 'redis') });
    return new Stack(home, redis, settings, routes);
  }

  get redis(): PrivateRedis {
    return this.redisNow;
  }

  /** Kills Redis like a crash, and starts it again on the same files, immediately or after `awayMs`. */
  async crashRedis(awayMs = 0): Promise<void> {
    process.kill(this.redis.pid, 'SIGKILL');
    await until(
      () => Promise.resolve(this.redis.isRunning),
      (isRunning) => !isRunning,
    );
    await delay(awayMs);
    this.redisNow = await PrivateRedis.start({ directory: join(this.directory, 'redis') });
  }

  /** @throws Error when a worker could not start: the caller may wait for its measurements */
  get api(): ApiClient {
    for (const { name, child, output } of this.unableToStart) {
      throw new Error(`worker ${name} could not start (${String(child.exitCode)}):\n${output()}`);
    }
    return createApiClient({ url: this.url, token: this.token });
  }

  /** Returns the output of the coordinator since its last start. */
  get coordinatorOutput(): string {
    return this.coordinator?.output() ?? '';
  }

  get coordinatorPid(): number {
    return this.coordinatorProcess.pid ?? 0;
  }

  get coordinatorProcess(): ChildProcess {
    if (this.coordinator === null) throw new Error('no coordinator was started');
    return this.coordinator.child;
  }

  /** @throws Error with the output of the coordinator when it ends before it is ready */
  async startCoordinator(extra: Readonly<Record<string, string>> = {}): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const running = await this.runCoordinator({ ALPHAFLOPS_PORT: port, ...extra });
    this.coordinator = running;
    const { url, adminToken } = await ready(running);
    this.url = url;
    this.token = adminToken ?? this.token;
  }

  /** Starts an additional coordinator, by default on a new port. Resolves when it answers. */
  async launchCoordinator(
    extra: Readonly<Record<string, string>> = {},
  ): Promise<{ running: Running; url: string; adminToken: string | null }> {
    const running = await this.runCoordinator({ ALPHAFLOPS_PORT: '0', ...extra });
    return { running, ...(await ready(running)) };
  }

  /** Starts a fitter. Resolves with its address when it listens. */
  async launchFitter(
    extra: Readonly<Record<string, string>> = {},
  ): Promise<{ running: Running; url: string }> {
    const env = { ...(await this.queue()), ALPHAFLOPS_FITTER_PORT: '0', ...extra };
    const running = this.run('fitter', FITTER, [], env);
    for (;;) {
      const url = /(http:\S+)\/healthz/.exec(running.output())?.[1];
      if (url !== undefined) return { running, url };
      if (running.child.exitCode !== null || running.child.signalCode !== null)
        throw new Error(`the fitter ended:\n${running.output()}`);
      await delay(20);
    }
  }

  private async runCoordinator(extra: Readonly<Record<string, string>>): Promise<Running> {
    return this.run('coordinator', COORDINATOR, [], { ...(await this.queue()), ...extra });
  }

  /** The address of Redis for coordinators and fitters. */
  private async queue(): Promise<Record<string, string>> {
    const { port, address } = this.redis;
    const reached = await this.routes.coordinatorToRedis(port);
    return { REDIS_URL: `redis://:${address.password ?? ''}@127.0.0.1:${reached}` };
  }

  async stopCoordinator(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.coordinator !== null) await end(this.coordinator.child, signal);
  }

  /** Enrols a worker with a fresh join token, at `url` if given, and returns the path of its credentials. */
  async enrol(name: string, executor = 'fake', url?: string): Promise<string> {
    const { data } = await this.api.POST('/v1/join-tokens', { body: { name } });
    const credentials = join(this.directory, `${name}.json`);
    const port = await this.routes.workersToCoordinator(Number(new URL(this.url).port));
    const joining = this.run(`join ${name}`, WORKER, [
      'join',
      url ?? `http://127.0.0.1:${port}`,
      ...['--token', data?.token ?? '', '--executor', executor, '--name', name, '--credentials', credentials],
    ]);
    const [code] = (await once(joining.child, 'exit')) as [number];
    if (code !== 0) throw new Error(`the worker could not join:\n${joining.output()}`);
    return credentials;
  }

  startWorker(
    credentials: string,
    extra: Readonly<Record<string, string>> = {},
    options: readonly string[] = [],
    isToStart = true,
  ): Running {
    const args = ['run', '--credentials', credentials, ...options];
    const running = this.run(basename(credentials, '.json'), WORKER, args, extra);
    let logged = false;
    running.child.stdout?.once('data', () => (logged = true));
    running.child.once('close', (code) => {
      if (isToStart && !logged && code !== null && code !== 0) this.unableToStart.push(running);
    });
    return running;
  }

  /** Returns the output of every process, oldest process first. */
  get logs(): { name: string; text: string }[] {
    return this.children.map(({ name, child, output }) => ({
      name: `${name} ${child.pid ?? 0}`,
      text: output(),
    }));
  }

  /** Deletes all data of Redis, as after the loss of its disk. */
  async forgetQueue(): Promise<void> {
    const redis = new Redis(this.redis.port, { password: this.redis.address.password ?? '' });
    await redis.flushall();
    redis.disconnect();
  }

  async stop(): Promise<void> {
    await this.stopProcesses();
    await rm(this.directory, { recursive: true });
  }

  /** Ends all processes and keeps the files. */
  async stopProcesses(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.children.map(({ child }) => end(child, 'SIGKILL')));
    await this.redis.stop();
  }

  private run(
    name: string,
    program: string,
    args: string[],
    extra: Readonly<Record<string, string>> = {},
  ): Running {
    // A program that restarts during the stop would keep running.
    if (this.isStopped) throw new Error('this stack has been stopped');
    const child = fork(program, args, {
      cwd: this.directory,
      silent: true,
      // Without the options of this process, because the build needs only Node.
      execArgv: [],
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.directory,
        ...TEST_DOUBLES,
        ALPHAFLOPS_DATA_DIR: join(this.directory, 'data'),
        ...this.settings,
        ...extra,
      },
    });
    let text = '';
    child.stdout?.on('data', (piece: Buffer) => (text += piece.toString()));
    child.stderr?.on('data', (piece: Buffer) => (text += piece.toString()));
    const running = { name, child, output: () => text };
    this.children.push(running);
    return running;
  }
}

/** The line that a coordinator prints when it is ready. */
async function ready({ child, output }: Running): Promise<{ url: string; adminToken: string | null }> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the coordinator ended:\n${output()}`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [
    { url: string; adminToken: string | null },
  ];
  return message;
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Repeats a query until its result satisfies the condition. The time limit is that of the test. */
export async function until<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    await delay(50);
  }
}
