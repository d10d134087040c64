import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ABSENT, ALL_KINDS, type FaultKind } from './schedule.js';
import type { StoreKind } from './stores.js';

/** Room for the store of one campaign; what is left is filled up. */
const SMALL_DISK = 'size=48m';

/** What this machine lets us do to it. */
export interface Abilities {
  /** Of a deployment on each store. */
  kinds: Record<StoreKind, FaultKind[]>;
  /** Kinds of fault that cannot be made here, each with the reason. */
  skipped: string[];
  /** Shared library that gives a process a clock of its own. */
  clockLibrary: string | null;
}

/** @param wanted kinds of fault; none: all */
export function abilities(wanted: readonly FaultKind[]): Abilities {
  const clockLibrary = findClockLibrary();
  const isMounting = canMount();
  const skipped = [
    ...(clockLibrary === null ? ['clock-jumped: libfaketime is not installed and cannot be'] : []),
    ...(isMounting ? [] : ['disk-full: no small disk can be mounted (that takes root)']),
  ];
  const isPossible = (kind: FaultKind) => !skipped.some((line) => line.startsWith(`${kind}:`));
  const possible = (wanted.length > 0 ? wanted : ALL_KINDS).filter(isPossible);
  const on = (store: StoreKind) => possible.filter((kind) => !ABSENT[store].includes(kind));
  return { kinds: { sqlite: on('sqlite'), mongodb: on('mongodb') }, skipped, clockLibrary };
}

/** Debian's libfaketime, installed when that can be done without asking anybody. */
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
  // Null where there is no dpkg at all.
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
