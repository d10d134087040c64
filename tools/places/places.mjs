// Checkouts, users and programs for tools/places/run.mjs.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The user nobody, which exists on every Unix. */
export const ORDINARY_USER = 65_534;

const NOT_COPIED = new Set(['node_modules', '.git', '.nx', 'test-results']);

/**
 * Copies the working tree with its build. node_modules are hard links, or copies if the file system has no hard
 * links.
 */
export function linkedCopy(root, checkout) {
  mkdirSync(checkout);
  for (const name of readdirSync(root).filter((entry) => !NOT_COPIED.has(entry))) {
    cpSync(join(root, name), join(checkout, name), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
    });
  }
  const modules = [join(root, 'node_modules'), join(checkout, 'node_modules')];
  try {
    execFileSync('cp', ['-a', '-l', ...modules], { stdio: 'ignore' });
  } catch {
    rmSync(modules[1], { recursive: true, force: true });
    execFileSync('cp', ['-a', ...modules]);
  }
  // Each checkout has its own files from set-up.
  for (const own of ['.cache', '.bin/redis-server']) {
    rmSync(join(checkout, 'node_modules', own), { recursive: true, force: true });
  }
}

/** Clones the last commit without installed packages, like a new user. */
export function clone(root, checkout) {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, checkout]);
}

/**
 * Changes the owner of a folder. In node_modules, changes only the folders, because the files may be hard links to
 * another checkout.
 */
export function give(folder, uid) {
  if (uid === undefined) return;
  lchownSync(folder, uid, uid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) give(path, uid);
    else if (!path.includes('/node_modules/')) lchownSync(path, uid, uid);
  }
}

/** Returns the PATH of a user without Redis and sudo. Its first folder is not readable for the user. */
export function pathOfUser(base) {
  const closed = join(base, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0);
  const programs = join(base, 'programs');
  mkdirSync(programs);
  // The Node of this process, also if another version is installed.
  symlinkSync(process.execPath, join(programs, 'node'));
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(isOpenToAll)) {
    for (const name of readdirSync(folder)) {
      const path = join(programs, name);
      if (name !== 'sudo' && !name.startsWith('redis-') && !existsSync(path)) {
        // A dangling link with the same name may exist.
        rmSync(path, { force: true });
        symlinkSync(join(folder, name), path);
      }
    }
  }
  return [closed, programs].join(delimiter);
}

/** Keeps only system folders, because folders in a home directory are not readable for other users. */
function isOpenToAll(folder) {
  return /^\/(usr\/|s?bin$)/.test(folder) && existsSync(folder);
}

/**
 * Writes settings with which apt-get treats Redis and its libraries as not installed. Returns the path for
 * APT_CONFIG.
 */
export function withoutInstalledRedis(base) {
  const status = join(base, 'dpkg-status');
  const installed = '/var/lib/dpkg/status';
  const packages = existsSync(installed) ? readFileSync(installed, 'utf8').split('\n\n') : [];
  const hidden = /^Package: (redis|libjemalloc2|liblzf1|liblua5\.1-0|lua-(bitop|cjson))/;
  writeFileSync(status, packages.filter((text) => !hidden.test(text)).join('\n\n'));
  const file = join(base, 'apt.conf');
  writeFileSync(file, `Dir::State::status ${JSON.stringify(resolve(status))};\n`);
  return file;
}
