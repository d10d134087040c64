import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type RoundRobin, startRoundRobin } from '../support/round-robin.js';
import { end, type Running, Stack } from '../support/stack.js';
import { type Abilities, mountSmallDisk, unmount } from './abilities.js';
import { childrenOf, type ProcessIdentity } from './processes.js';
import { Proxy } from './proxy.js';
import { mongoStore, sqliteStore, type StoreKind, type TestedStore } from './stores.js';

const WORKERS = 2;
/**
 * Small, so that live devices are soon free for the batches of a dead worker. The replacement for MongoDB is slow for
 * each batch.
 */
export const BATCH_SPECS: Readonly<Record<StoreKind, number>> = { sqlite: 8, mongodb: 20 };
/** The time after which a supervisor restarts a program. */
const SUPERVISOR_PAUSE_MS = 1_000;

export type Role = 'coordinator' | 'fitter' | 'worker';

/** A program under a supervisor. */
export interface Program {
  readonly name: string;
  readonly role: Role;
  running: Running;
  /** Restarts the program. Rejects when it does not become ready. */
  readonly start: () => Promise<Running>;
}

export interface Link {
  readonly name: string;
  readonly proxy: Proxy;
}

/**
 * A deployment as operators run it: every program under a supervisor, and a network between them that can be cut. On
 * SQLite, one coordinator does everything. On MongoDB, there are two coordinators behind one address, and a fitter.
 */
export class Deployment {
  readonly links: Link[] = [];
  readonly programs: Program[] = [];
  /** Executor processes of workers that were killed: they must not outlive them. */
  readonly orphans: ProcessIdentity[] = [];
  /** Programs that ended by themselves. */
  readonly unexpectedEnds: string[] = [];
  private readonly ended = new Set<ChildProcess>();
  private address: RoundRobin | null = null;
  private isStopping = false;

  private constructor(
    readonly stack: Stack,
    readonly store: TestedStore,
    private readonly abilities: Abilities,
    readonly dataDirectory: string,
    private readonly disk: string | null,
  ) {}

  /** @param transactions whether MongoDB has transactions */
  static async start(kind: StoreKind, transactions: boolean, abilities: Abilities): Promise<Deployment> {
    const directory = mkdtempSync(join(tmpdir(), 'alphaflops-faults-'));
    const dataDirectory = join(directory, 'data');
    mkdirSync(dataDirectory);
    const isSmall = abilities.kinds[kind].includes('disk-full') && mountSmallDisk(dataDirectory);
    const store = kind === 'sqlite' ? sqliteStore(dataDirectory) : await mongoStore(transactions);
    const links = new Map<string, Proxy>();
    const through = (name: string) => async (port: number) => {
      const proxy = links.get(name) ?? (await Proxy.to(port));
      links.set(name, proxy);
      return proxy.port;
    };
    const stack = await Stack.prepare(
      {
        ...(await store.settings(through('coordinators–store'))),
        ALPHAFLOPS_BATCH_SPECS: String(BATCH_SPECS[kind]),
        ALPHAFLOPS_HEARTBEAT_S: '2',
        ALPHAFLOPS_LOG_LEVEL: 'debug',
      },
      {
        coordinatorToRedis: through('coordinators–Redis'),
        workersToCoordinator: through('workers–coordinators'),
      },
      directory,
    );
    const deployment = new Deployment(stack, store, abilities, dataDirectory, isSmall ? dataDirectory : null);
    await (kind === 'sqlite' ? deployment.startAlone() : deployment.startTogether());
    await deployment.startWorkers();
    for (const [name, proxy] of links) deployment.links.push({ name, proxy });
    return deployment;
  }

  of(role: Role): Program[] {
    return this.programs.filter((program) => program.role === role);
  }

  /** Kills a program like a crash, and restarts it after `awayMs`. */
  async crash(program: Program, awayMs: number): Promise<void> {
    const { child } = program.running;
    if (program.role === 'worker') this.orphans.push(...childrenOf(child.pid ?? 0));
    this.ended.add(child);
    await end(child, 'SIGKILL');
    await setTimeout(awayMs);
    await this.supervise(program);
  }

  /** Sets the clock of one program to an offset in seconds from the true time. */
  setClock(name: string, offsetS: number): void {
    writeFileSync(this.clockFile(name), `${offsetS < 0 ? '' : '+'}${offsetS}\n`);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.stack.stopProcesses();
    for (const { proxy } of this.links) proxy.close();
    this.address?.close();
  }

  /** After the stop: ends the store, and removes all files on request. */
  async close(keepFiles: boolean): Promise<void> {
    await this.store.close();
    if (keepFiles) return;
    if (this.disk !== null) unmount(this.disk);
    rmSync(this.stack.directory, { recursive: true, force: true });
  }

  private async startAlone(): Promise<void> {
    const { url } = await this.addCoordinator('coordinator', {});
    this.stack.url = url;
  }

  private async startTogether(): Promise<void> {
    const roles = { ROLES: 'api,record' };
    const urls = [
      (await this.addCoordinator('coordinator-0', roles)).url,
      (await this.addCoordinator('coordinator-1', roles)).url,
    ];
    this.address = await startRoundRobin(urls);
    this.stack.url = this.address.url;
    const start = async () => (await this.stack.launchFitter(this.clockOf('fitter'))).running;
    this.add('fitter', 'fitter', await start(), start);
  }

  private async addCoordinator(name: string, settings: Record<string, string>): Promise<{ url: string }> {
    const launch = (port: string) =>
      this.stack.launchCoordinator({ ...settings, ...this.clockOf(name), ALPHAFLOPS_PORT: port });
    const { running, url, adminToken } = await launch('0');
    this.stack.token = adminToken ?? this.stack.token;
    this.add(name, 'coordinator', running, async () => (await launch(new URL(url).port)).running);
    return { url };
  }

  private async startWorkers(): Promise<void> {
    for (let i = 0; i < WORKERS; i += 1) {
      const name = `worker-${i}`;
      const credentials = await this.stack.enrol(name);
      const start = () => this.stack.startWorker(credentials, this.clockOf(name));
      this.add(name, 'worker', start(), () => Promise.resolve(start()));
    }
  }

  private add(name: string, role: Role, running: Running, start: () => Promise<Running>): void {
    const program: Program = { name, role, running, start };
    this.programs.push(program);
    this.watch(program);
  }

  private clockFile(name: string): string {
    return join(this.stack.directory, `${name}.clock`);
  }

  /** Replaces only the time of day. Timers use the monotonic clock, which does not jump on real machines either. */
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

  private watch(program: Program): void {
    const { child, output } = program.running;
    child.once('exit', (code, signal) => {
      if (this.isStopping || this.ended.has(child)) return;
      const last = output().trim().split('\n').at(-1) ?? '';
      this.unexpectedEnds.push(`${program.name} ended (${String(signal ?? code)}): ${last}`);
      void this.crash(program, SUPERVISOR_PAUSE_MS);
    });
  }

  /** A program that finds neither Redis nor its store reports it and ends. Its supervisor restarts it. */
  private async supervise(program: Program): Promise<void> {
    while (!this.isStopping) {
      try {
        program.running = await program.start();
        this.watch(program);
        return;
      } catch {
        await setTimeout(SUPERVISOR_PAUSE_MS);
      }
    }
  }
}
