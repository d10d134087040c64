import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errorText as messageOf } from '@alphaflops/contracts/text';
import { ConfigError, makeDirectory } from '@alphaflops/config';
import { StoreError } from '@alphaflops/store';
import { FileLock } from '@alphaflops/store-sqlite';
import { CliError } from '../error.js';

/** Time that a coordinator needs to end after its parent was killed. */
const LEFTOVER_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 250;

/**
 * Makes the directory (mode 0700) and locks it against other stacks, until the release or the end of this process.
 * @throws CliError `failed` with the holder's process id
 */
export function lockDataDirectory(directory: string): { release: () => void } {
  const path = join(directory, 'up');
  try {
    makeDirectory(directory);
    return FileLock.acquire(path);
  } catch (error) {
    if (isInUse(error)) {
      const pid = readFileSync(`${path}.lock.pid`, 'utf8').trim();
      throw new CliError(
        'failed',
        `The data directory ${directory} is in use by another "alphaflops up" (process ${pid}). ` +
          `Stop it first (kill ${pid}), or name another directory with --data-dir.`,
        { cause: error },
      );
    }
    if (error instanceof ConfigError) throw error;
    throw new CliError('failed', `Cannot use the data directory ${directory}: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

/**
 * Waits for the end of a coordinator that has outlived its killed parent. * @throws StoreError `in-use` with the
 * holder's process id, if it does not end
 */
export async function waitForStore(storeFile: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + LEFTOVER_WITHIN_MS;
  for (;;) {
    try {
      FileLock.acquire(storeFile).release();
      return;
    } catch (error) {
      if (!isInUse(error) || Date.now() > deadline) throw error;
      await setTimeout(LOOK_EVERY_MS, undefined, { signal });
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'in-use';
}
