// Unpacks programs and libraries from Debian packages for a user who may not install them. All files stay in the
// cache of the checkout, including the package lists.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const cache = resolve(import.meta.dirname, '../node_modules/.cache/alphaflops');
const lists = join(cache, 'apt/lists');
const LISTS_ARE_FRESH_MS = 24 * 3600 * 1000;
const STEP_LIMIT_MS = 300_000;

/**
 * Unpacks packages with their dependencies that this machine lacks. Needs no root rights.
 * @param names of the packages; they are always unpacked, also if they are installed
 * @param folder the target; it is created when everything is complete
 * @throws Error with the last output line of apt-get or dpkg-deb
 */
export function unpackDebianPackages(names, folder) {
  updateLists();
  mkdirSync(dirname(folder), { recursive: true });
  const beside = mkdtempSync(join(cache, 'packages-'));
  try {
    const planned = run('apt-get', ['--simulate', '--no-install-recommends', 'install', ...names], beside);
    const missing = [...planned.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name);
    run('apt-get', ['download', ...new Set([...names, ...missing])], beside);
    for (const file of readdirSync(beside).filter((name) => name.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', file, 'root'], beside);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(beside, 'root'), folder);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

/** Downloads packages into a folder. Needs no root rights. @throws Error with the last output line of apt-get */
export function downloadDebianPackages(names, folder) {
  updateLists();
  run('apt-get', ['download', ...names], folder);
}

/** Folders of unpacked packages that hold shared libraries, relative to `folder`. */
export function libraryFolders(folder) {
  const inside = (path) =>
    readdirSync(join(folder, path), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(path, name));
  const main = ['lib', 'usr/lib']
    .filter((path) => existsSync(join(folder, path)))
    .flatMap(inside)
    .filter((path) => path.includes('-linux-gnu'));
  return [...main, ...main.flatMap(inside)].filter((path) =>
    readdirSync(join(folder, path)).some((name) => /\.so(\.|$)/.test(name)),
  );
}

/** Returns a shell script for node_modules/.bin that starts an unpacked program with its libraries. */
export function launcher(folder, program) {
  const from = folder.slice(cache.length);
  const libraries = libraryFolders(folder).map((path) => `$home/${path}`);
  return [
    '#!/bin/sh',
    '# Written by tools/setup.mjs: a program from packages that could not be installed.',
    `home="$(dirname "$(readlink -f "$0")")/../.cache/alphaflops${from}"`,
    `export LD_LIBRARY_PATH="${libraries.join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
    `exec "$home/${program}" "$@"`,
    '',
  ].join('\n');
}

/** @throws Error with the last words of apt-get */
export function updateLists() {
  const isFresh = existsSync(lists) && Date.now() - statSync(lists).mtimeMs < LISTS_ARE_FRESH_MS;
  if (isFresh) return;
  mkdirSync(join(lists, 'partial'), { recursive: true });
  mkdirSync(join(cache, 'apt/archives/partial'), { recursive: true });
  try {
    run('apt-get', ['update'], cache);
  } catch (error) {
    rmSync(lists, { recursive: true, force: true });
    throw error;
  }
}

function run(program, args, cwd) {
  const own = ['-q', '-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(cache, 'apt')}`];
  const { status, stdout, stderr, error } = spawnSync(
    program,
    program === 'apt-get' ? [...own, ...args] : args,
    { cwd, encoding: 'utf8', timeout: STEP_LIMIT_MS, env: { ...process.env, LC_ALL: 'C.UTF-8' } },
  );
  if (status === 0) return stdout;
  const words = error?.message ?? `${stdout}${stderr}`.trim().split('\n').at(-1);
  throw new Error(`${program} ${args[0]}: ${words}`);
}
