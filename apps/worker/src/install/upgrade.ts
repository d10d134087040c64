import { execFile, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorText } from '@alphaflops/contracts';
import { download } from '../add/download.js';
import type { Credentials } from '../credentials.js';
import type { Log } from '../log.js';
import type { DepartureSignals } from '../signals.js';
import { type Bundle, Installation } from './installation.js';

export interface UpgradeContext {
  /** This version. */
  readonly bundle: Bundle;
  /** Arguments to start another version with. */
  readonly words: readonly string[];
  readonly credentials: Pick<Credentials, 'coordinatorUrl'>;
  readonly fetchBy: typeof fetch;
  readonly log: Log;
  /** Whether to upgrade, or only to report it. */
  readonly isAutomatic: boolean;
}

/**
 * Runs this version until the coordinator serves another one. Then, if upgrades are automatic, drains it and continues
 * with the new version.
 * @param attempt runs until its signals or the operator end it; returns the exit code
 * @returns the exit code of the last version
 */
export async function runUpgraded(
  attempt: (signals: DepartureSignals) => Promise<number>,
  departure: DepartureSignals,
  { bundle, words, credentials, fetchBy, log, isAutomatic }: UpgradeContext,
): Promise<number> {
  const upgrade = new Upgrade(bundle, credentials.coordinatorUrl, fetchBy, log);
  await upgrade.begin();
  upgrade.whenOffered(({ id }) => {
    const how = isAutomatic
      ? 'it is installed after the current batch'
      : 'paste the join line again, or run with --auto-upgrade';
    log.info(`The coordinator serves worker ${id}, this is ${bundle.id}: ${how}.`);
  });
  try {
    const finish = isAutomatic ? AbortSignal.any([departure.finish, upgrade.offerSignal]) : departure.finish;
    const exitCode = finish.aborted ? 0 : await attempt({ ...departure, finish });
    const isOver = departure.finish.aborted || departure.giveBack.aborted || exitCode !== 0;
    if (!isAutomatic || isOver || upgrade.offer === null) return exitCode;
    await upgrade.install(upgrade.offer);
  } finally {
    upgrade.close();
  }
  return await handOver(words);
}

const ASK_EVERY_MS = 5 * 60_000;

/** The bundle that a coordinator serves for this platform. */
interface Offer {
  readonly sha256: string;
  readonly id: string;
}

/** Detects that the coordinator serves another worker than this one, and replaces this one. */
class Upgrade {
  private timer: NodeJS.Timeout | undefined;
  private readonly offered = new AbortController();
  offer: Offer | null = null;

  constructor(
    private readonly bundle: Bundle,
    private readonly coordinatorUrl: string,
    private readonly fetchBy: typeof fetch,
    private readonly log: Log,
  ) {}

  /** Fires when another worker is offered. */
  get offerSignal(): AbortSignal {
    return this.offered.signal;
  }

  whenOffered(then: (offer: Offer) => void): void {
    const tell = (): void => {
      if (this.offer !== null) then(this.offer);
    };
    if (this.offer !== null) tell();
    else this.offerSignal.addEventListener('abort', tell, { once: true });
  }

  /** Checks now, and repeats the check until it is closed. */
  async begin(): Promise<void> {
    await this.ask();
    this.timer = setInterval(() => void this.ask(), ASK_EVERY_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /**
   * Installs the offered version in addition to this one and makes it the active one.
   * @throws WorkerError `cannot-add`, Error when it cannot be unpacked
   */
  async install({ sha256, id }: Offer): Promise<void> {
    const { installation } = Installation.own();
    const folder = join(installation.root, 'versions', sha256);
    const archive = `${folder}.tar.gz`;
    this.log.info(`upgrading to worker ${id}`);
    const digest = { algorithm: 'sha256', encoding: 'hex', value: sha256 } as const;
    await download(this.url('.tar.gz'), archive, digest, this.fetchBy);
    await mkdir(folder, { recursive: true });
    await promisify(execFile)('tar', ['-xzf', archive, '-C', folder]);
    await writeFile(join(folder, 'complete'), '');
    await rm(archive);
    installation.use({ folder });
  }

  private async ask(): Promise<void> {
    try {
      const response = await this.fetchBy(this.url('.tar.gz.sha256'), {
        signal: AbortSignal.timeout(60_000),
      });
      const [, sha256, id] =
        /^([0-9a-f]{64}) {2}alphaflops-worker-(\S+)-linux-\w+\.tar\.gz$/m.exec(await response.text()) ?? [];
      if (!response.ok || sha256 === undefined || id === undefined || id === this.bundle.id) return;
      this.offer = { sha256, id };
      this.offered.abort();
    } catch (error) {
      this.log.warn(`The coordinator does not report which worker it serves: ${errorText(error)}`);
    }
  }

  private url(ending: string): string {
    return new URL(`bundles/${this.bundle.platform}${ending}`, this.coordinatorUrl).href;
  }
}

/** Runs the version in use with the given arguments, passes signals on, and resolves with its exit code. */
async function handOver(words: readonly string[]): Promise<number> {
  const { installation } = Installation.own();
  const child = spawn(installation.program, words, { stdio: ['ignore', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const)
    process.on(signal, () => child.kill(signal));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
}
