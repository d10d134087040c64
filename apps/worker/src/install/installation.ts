import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { WorkerError } from '../error.js';

const BundleSchema = z.object({ id: z.string(), version: z.string(), platform: z.string() });

/** The bundle that this program runs from; null when it runs from packages. */
export interface Bundle {
  readonly folder: string;
  readonly id: string;
  readonly version: string;
  readonly platform: string;
}

/** A bundle has this program in app/dist. */
export function ownBundle(): Bundle | null {
  const file = fileURLToPath(new URL('../../bundle.json', import.meta.url));
  if (!existsSync(file)) return null;
  return { folder: dirname(file), ...BundleSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) };
}

/**
 * Where join.sh installs: versions/DIGEST/ (bundles), current (link to the one in use), bin/alphaflops-worker,
 * node_modules/ and nvidia/ (what was added on request).
 */
export class Installation {
  constructor(readonly root: string) {}

  /** @throws WorkerError `usage` when this program was not installed by join.sh */
  static own(): { installation: Installation; bundle: Bundle } {
    const bundle = ownBundle();
    if (bundle === null || basename(dirname(bundle.folder)) !== 'versions') {
      throw new WorkerError(
        'usage',
        'This worker was not installed by join.sh. Update it the way it was installed, for example with npm.',
      );
    }
    return { bundle, installation: new Installation(dirname(dirname(bundle.folder))) };
  }

  /** The command that starts the version in use. */
  get program(): string {
    return join(this.root, 'bin/alphaflops-worker');
  }

  /** Makes a bundle the one in use. A worker that starts at the same time gets the old one or the new one. */
  use({ folder }: Pick<Bundle, 'folder'>): void {
    const link = join(this.root, 'current');
    const beside = `${link}.${process.pid}`;
    rmSync(beside, { force: true });
    symlinkSync(join('versions', basename(folder)), beside);
    renameSync(beside, link);
    mkdirSync(dirname(this.program), { recursive: true });
    writeFileSync(
      this.program,
      `#!/bin/sh\nexec ${quoted(join(this.root, 'current/alphaflops-worker'))} "$@"\n`,
    );
    chmodSync(this.program, 0o755);
  }

  /** Removes unused archives and bundles. Those of a running worker stay. */
  removeUnused(): void {
    const versions = join(this.root, 'versions');
    const inUse = new Set([basename(readlinkSync(join(this.root, 'current'))), ...runningVersions(versions)]);
    for (const name of readdirSync(versions)) {
      if (!inUse.has(name)) rmSync(join(versions, name), { recursive: true, force: true });
    }
    for (const name of readdirSync(this.root)) {
      if (name.startsWith('expected.')) rmSync(join(this.root, name), { force: true });
    }
  }

  /** Process ids of workers that run from here, except this one and those that have started it. */
  running(): number[] {
    return processes()
      .filter(({ pid, program }) => pid !== process.pid && program.startsWith(`${this.root}/`))
      .map(({ pid }) => pid);
  }
}

/** Command with which users start this program. */
export function programName(): string {
  const bundle = ownBundle();
  return bundle === null ? 'alphaflops worker' : new Installation(dirname(dirname(bundle.folder))).program;
}

/** Quoted as one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function runningVersions(versions: string): string[] {
  return processes()
    .filter(({ program }) => program.startsWith(`${versions}/`))
    .map(({ program }) => program.slice(versions.length + 1).split('/')[0] ?? '');
}

/** Processes of this user and the programs that they execute, by Linux's /proc. */
function processes(): { pid: number; program: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [{ pid: Number(name), program: readlinkSync(`/proc/${name}/exe`) }];
      } catch {
        // The process belongs to another user or has ended.
        return [];
      }
    });
}
