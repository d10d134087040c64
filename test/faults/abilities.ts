import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ABSENT, ALL_KINDS, type FaultKind } from './schedule.js';
import type { StoreKind } from './stores.js';

/** Disk space for the store of one campaign. The rest of the disk is filled. */
const SMALL_DISK = 'size=48m';

/** The faults that are possible on this machine. */
export interface Abilities {
  /** Fault kinds of a deployment on each store. */
  kinds: Record<StoreKind, FaultKind[]>;
  /** Fault kinds that are not possible on this machine, each with the reason. */
  skipped: string[];
  /** Shared library that gives a process its own clock. */
  clockLibrary: string | null;
}

/** @param requested fault kinds; an empty list means all */
export function abilities(requested: readonly FaultKind[]): Abilities {
  const clockLibrary = findClockLibrary();
  const isMounting = canMount();
  const skipped = [
    ...(clockLibrary === null ? ['clock-jumped: libfaketime is not installed and cannot be'] : []),
    ...(isMounting ? [] : ['disk-full: no small disk can be mounted (that takes root)']),
  ];
  const isPossible = (kind: FaultKind) => !skipped.some((line) => line.startsWith(`${kind}:`));
  const possible = (requested.length > 0 ? requested : ALL_KINDS).filter(isPossible);
  const on = (store: StoreKind) => possible.filter((kind) => !ABSENT[store].includes(kind));
  return { kinds: { sqlite: on('sqlite'), mongodb: on('mongodb') }, skipped, clockLibrary };
}

/** The libfaketime of Debian. It is installed if this needs no password. */
function findClockLibrary(): string | null {
  if (located() === null && process.getuid?.() === 0) {
    const apt = (...args: string[]) =>
      spawnSync('apt-get', ['-q', '-y', ...args], {
        timeout: 120_000,
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    apt('update');
    apt('install', '--no-install-recommends', 'libfaketime');
  }
  return located();
}

function located(): string | null {
  // Null if dpkg does not exist.
  const stdout = spawnSync('dpkg', ['-L', 'libfaketime'], { encoding: 'utf8' }).stdout as string | null;
  const library = (stdout ?? '').split('\n').find((line) => line.endsWith('/libfaketimeMT.so.1'));
  return library !== undefined && existsSync(library) ? library : null;
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'alphaflops-mount-'));
  const mounted = mountSmallDisk(folder);
  if (mounted) unmount(folder);
  rmdirSync(folder);
  return mounted;
}

export function mountSmallDisk(folder: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', SMALL_DISK, 'tmpfs', folder]).status === 0;
}

export function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder]);
}
