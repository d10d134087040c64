// Provides Redis for a user who may not install it: from Debian packages, started through node_modules/.bin, which
// npm and npx put on PATH.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { launcher, libraryFolders, unpackDebianPackages } from './debian-packages.mjs';

const modules = resolve(import.meta.dirname, '../node_modules');
const home = resolve(modules, '.cache/alphaflops/redis');
const program = resolve(modules, '.bin/redis-server');

/** Whether Redis is unpacked and starts. */
export function hasUnpackedRedis() {
  return existsSync(home) && spawnSync(program, ['--version']).status === 0;
}

/**
 * Returns the program behind the launcher in node_modules/.bin, and the folders of its libraries; null if it is
 * missing.
 */
export function unpackedRedis() {
  if (!hasUnpackedRedis()) return null;
  const libraries = libraryFolders(home).map((folder) => resolve(home, folder));
  return { program: resolve(home, 'usr/bin/redis-server'), libraries };
}

/** @throws Error with the last output line of the failed command */
export function unpackRedis() {
  unpackDebianPackages(['redis-server', 'redis-tools'], home);
  writeFileSync(program, launcher(home, 'usr/bin/redis-server'), { mode: 0o755 });
  const { status, stderr, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (status === 0) return;
  rmSync(program);
  throw new Error(`the unpacked redis-server does not start: ${error?.message ?? stderr.trim()}`);
}
