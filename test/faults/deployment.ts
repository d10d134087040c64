import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { end, type Running, Stack } from '../support/stack.js';
import { type Abilities, mountSmallDisk, unmount } from './abilities.js';
import { childrenOf, type ProcessIdentity } from './processes.js';
import { Proxy } from './proxy.js';

const WORKERS = 2;
/** A supervisor starts a program again that ended, after so long. */
const SUPERVISOR_PAUSE_MS = 1_000;

export interface SupervisedWorker {
  name: string;
  credentials: string;
  running: Running;
  clock: string;
}

/** A deployment as operators run it: every program under a supervisor, and a network between them that can be cut. */
export class Deployment {
  readonly proxies: Proxy[] = [];
  readonly workers: SupervisedWorker[] = [];
  /** Executor processes of workers that were killed: they must not outlive them. */
  readonly orphans: ProcessIdentity[] = [];
  /** Programs that ended although nobody had ended them. */
  readonly unexpectedEnds: string[] = [];
  private readonly ended = new Set<ChildProcess>();
  private isStopping = false;

  private constructor(
    readonly stack: Stack,
    private readonly abilities: Abilities,
    readonly dataDirectory: string,
    readonly disk: string | null,
  ) {}

  static async start(abilities: Abilities): Promise<Deployment> {
    const directory = mkdtempSync(join(tmpdir(), 'alphaflops-faults-'));
    const dataDirectory = join(directory, 'data');
    mkdirSync(dataDirectory);
    const disk =
      abilities.kinds.includes('disk-full') && mountSmallDisk(dataDirectory) ? dataDirectory : null;
    const proxies = new Map<string, Proxy>();
    const through = (link: string) => async (port: number) => {
      const proxy = proxies.get(link) ?? (await Proxy.to(port));
      proxies.set(link, proxy);
      return proxy.port;
    };
    const stack = await Stack.prepare(
      // Small batches: devices that live are soon free for those of a worker that died.
      { ALPHAFLOPS_HEARTBEAT_S: '2', ALPHAFLOPS_LOG_LEVEL: 'debug', ALPHAFLOPS_BATCH_SPECS: '8' },
      {
        coordinatorToRedis: through('coordinator–Redis'),
        workersToRedis: through('workers–Redis'),
        workersToCoordinator: through('workers–coordinator'),
      },
      directory,
    );
    const deployment = new Deployment(stack, abilities, dataDirectory, disk);
    await stack.startCoordinator(deployment.clockOf('coordinator'));
    deployment.watchCoordinator();
    for (let i = 0; i < WORKERS; i += 1) {
      const name = `worker-${i}`;
      const credentials = await stack.enrol(name);
      const running = stack.startWorker(credentials, deployment.clockOf(name));
      deployment.workers.push({ name, credentials, running, clock: deployment.clockFile(name) });
      deployment.watchWorker(i);
    }
    deployment.proxies.push(...proxies.values());
    return deployment;
  }

  /** Kills a program as a crash does, and starts it again after `awayMs`. */
  async crashWorker(index: number, awayMs: number): Promise<void> {
    const worker = this.workers[index] as SupervisedWorker;
    this.orphans.push(...childrenOf(worker.running.child.pid ?? 0));
    this.ended.add(worker.running.child);
    await end(worker.running.child, 'SIGKILL');
    await setTimeout(awayMs);
    if (this.isStopping) return;
    worker.running = this.stack.startWorker(worker.credentials, this.clockOf(worker.name));
    this.watchWorker(index);
  }

  async crashCoordinator(awayMs: number): Promise<void> {
    this.ended.add(this.stack.coordinatorProcess);
    await this.stack.stopCoordinator('SIGKILL');
    await setTimeout(awayMs);
    await this.superviseCoordinator();
  }

  /** Holds the store's write lock from another process. */
  async lockStore(ms: number): Promise<void> {
    const holder = fork(join(import.meta.dirname, 'store-lock.mjs'), [this.storeFile, String(ms)], {
      execArgv: [],
    });
    await once(holder, 'exit');
  }

  get storeFile(): string {
    return join(this.dataDirectory, 'alphaflops.sqlite');
  }

  /** The clock of one program, as seconds beside the true one. */
  setClock(name: string, offsetS: number): void {
    writeFileSync(this.clockFile(name), `${offsetS < 0 ? '' : '+'}${offsetS}\n`);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.stack.stopProcesses();
    for (const proxy of this.proxies) proxy.close();
  }

  /** Once stopped: leaves nothing behind. */
  remove(): void {
    if (this.disk !== null) unmount(this.disk);
    rmSync(this.stack.directory, { recursive: true, force: true });
  }

  private clockFile(name: string): string {
    return join(this.stack.directory, `${name}.clock`);
  }

  /** Only the time of day is taken over: timers go by the monotonic clock, which does not jump on real machines either. */
  private clockOf(name: string): Record<string, string> {
    if (this.abilities.clockLibrary === null) return {};
    this.setClock(name, 0);
    return {
      LD_PRELOAD: this.abilities.clockLibrary,
      FAKETIME_TIMESTAMP_FILE: this.clockFile(name),
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  private watchWorker(index: number): void {
    const { child, output } = (this.workers[index] as SupervisedWorker).running;
    child.once('exit', (code, signal) => {
      if (this.isStopping || this.ended.has(child)) return;
      this.unexpectedEnds.push(`worker-${index} ended (${String(signal ?? code)}): ${lastLine(output())}`);
      void this.crashWorker(index, SUPERVISOR_PAUSE_MS);
    });
  }

  private watchCoordinator(): void {
    const child = this.stack.coordinatorProcess;
    child.once('exit', (code, signal) => {
      if (this.isStopping || this.ended.has(child)) return;
      this.unexpectedEnds.push(`the coordinator ended (${String(signal ?? code)})`);
      void this.superviseCoordinator();
    });
  }

  /** A coordinator that finds neither Redis nor its store says so and ends: its supervisor tries again. */
  private async superviseCoordinator(): Promise<void> {
    while (!this.isStopping) {
      try {
        await this.stack.startCoordinator(this.clockOf('coordinator'));
        this.watchCoordinator();
        return;
      } catch {
        await setTimeout(SUPERVISOR_PAUSE_MS);
      }
    }
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
