// Installs other versions of Node from npm into a folder outside the tree. Only tests need them.
//   node tools/node-for-tests.mjs 22 24
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'alphaflops');
/**
 * The npm package `node` installs one of these packages with a script. This program installs it directly, so no
 * script runs.
 */
const PACKAGE = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const OWN = process.versions.node.split('.')[0];

/**
 * Returns the path of the program of a major version, including the version of this process. The file may be missing.
 */
export function nodeProgram(major) {
  if (String(major) === OWN) return process.execPath;
  return join(folderOf(major), 'node_modules', PACKAGE, 'bin/node');
}

/** Whether the program of a major version exists. */
export function hasNode(major) {
  return existsSync(nodeProgram(major));
}

/** Installs the newest release of a major version. @throws Error with the last line that npm wrote */
export function installNode(major) {
  mkdirSync(folderOf(major), { recursive: true });
  const { status, stderr, error } = spawnSync(
    'npm',
    [
      ...['install', '--prefix', folderOf(major), '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'],
      `${PACKAGE}@${major}`,
    ],
    { encoding: 'utf8' },
  );
  if (status === 0 && hasNode(major)) return;
  throw new Error(error?.message ?? stderr?.trim().split('\n').at(-1) ?? 'npm failed');
}

function folderOf(major) {
  return join(cache, `node-${major}`);
}

if (import.meta.filename === process.argv[1]) {
  try {
    for (const major of process.argv.slice(2)) if (!hasNode(major)) installNode(major);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
