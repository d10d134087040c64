import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from './config-error.js';

/**
 * Makes a directory and its parents; one that is there stays as it is. Node's own recursive mkdir does not end where the
 * system refuses as if a parent were missing, as in /proc.
 *
 * @param mode by default for this user alone
 * @throws ConfigError that names the directory
 */
export function makeDirectory(path: string, mode = 0o700): void {
  const wanted = resolve(path);
  const missing: string[] = [];
  for (let at = wanted; !exists(at, wanted); at = dirname(at)) missing.unshift(at);
  for (const directory of missing) {
    try {
      mkdirSync(directory, { mode });
    } catch (error) {
      // Somebody else may have made it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw failed(wanted, error);
    }
  }
}

function exists(path: string, wanted: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true;
    throw new Error(`${path} is a file`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw failed(wanted, error);
  }
}

function failed(path: string, error: unknown): ConfigError {
  const { message } = error as Error;
  return new ConfigError(`The directory ${path} cannot be made: ${message.replace(/, mkdir.*$/, '')}.`);
}
