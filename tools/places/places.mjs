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

/** nobody: every Unix has it. */
export const ORDINARY_USER = 65_534;

const NOT_COPIED = new Set(['node_modules', '.git', '.nx', 'test-results']);

/** The working tree with its build; node_modules as hard links, or copied where the file system cannot link. */
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
  // What set-up writes is each checkout's own.
  for (const own of ['.cache', '.bin/redis-server']) {
    rmSync(join(checkout, 'node_modules', own), { recursive: true, force: true });
  }
}

/** What a newcomer has: the last commit, nothing installed. */
export function clone(root, checkout) {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, checkout]);
}

/** Gives a folder to a user; of node_modules the folders alone, as its files may be links to those of another checkout. */
export function give(folder, uid) {
  if (uid === undefined) return;
  lchownSync(folder, uid, uid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) give(path, uid);
    else if (!path.includes('/node_modules/')) lchownSync(path, uid, uid);
  }
}

/** PATH of a user without Redis and sudo, with a folder in front that they may not read. */
export function pathOfUser(base) {
  const closed = join(base, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0);
  const programs = join(base, 'programs');
  mkdirSync(programs);
  // The same Node as here, also where another one is installed.
  symlinkSync(process.execPath, join(programs, 'node'));
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(isOpenToAll)) {
    for (const name of readdirSync(folder)) {
      const path = join(programs, name);
      if (name !== 'sudo' && !name.startsWith('redis-') && !existsSync(path)) {
        // A dangling link of the same name may be there.
        rmSync(path, { force: true });
        symlinkSync(join(folder, name), path);
      }
    }
  }
  return [closed, programs].join(delimiter);
}

/** Only the folders of the system: those in somebody's home are closed to others. */
function isOpenToAll(folder) {
  return /^\/(usr\/|s?bin$)/.test(folder) && existsSync(folder);
}

/** Settings of apt-get for which Redis and its libraries are not installed: their path, for APT_CONFIG. */
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
