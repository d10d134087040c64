import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from './config-error.js';

/**
 * Makes a directory and its parents; an existing one stays unchanged. Node's own recursive mkdir never ends if the system
 * reports a missing parent although the parent exists, as in /proc.
 *
 * @param mode by default only for this user
 * @throws ConfigError that names the directory
 */
export function makeDirectory(path: string, mode = 0o700): void {
  const requested = resolve(path);
  const missing: string[] = [];
  for (let at = requested; !exists(at, requested); at = dirname(at)) missing.unshift(at);
  for (const directory of missing) {
    try {
      mkdirSync(directory, { mode });
    } catch (error) {
      // Another process may have made it in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw failed(requested, error);
    }
  }
}

function exists(path: string, requested: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true;
    throw new Error(`${path} is a file`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw failed(requested, error);
  }
}

function failed(path: string, error: unknown): ConfigError {
  const { message } = error as Error;
  return new ConfigError(`The directory ${path} cannot be made: ${message.replace(/, mkdir.*$/, '')}.`);
}
