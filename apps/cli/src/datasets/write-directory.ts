import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeDirectory } from '@alphaflops/config';
import type { DatasetFile } from '@alphaflops/dataset';
import { CliError } from '../error.js';
import { isFileError } from '../files.js';
import { isInside } from './checksums.js';

/**
 * Writes the files into a new directory. The directory is complete or does not exist: the function fills it under
 * another name in the same folder and then renames it. * @throws CliError `bad-input` if the path exists already, if it
 * cannot be written, or if a file would be outside of it: names of files contain ids of models, which come from a
 * coordinator
 */
export async function writeDirectory(path: string, files: readonly DatasetFile[]): Promise<void> {
  const stray = files.find((file) => !isInside(file.path));
  if (stray !== undefined) {
    throw new CliError('bad-input', `Cannot write ${JSON.stringify(stray.path)}: it is not within ${path}.`);
  }
  const target = resolve(path);
  const entries = await readdir(target).catch((error: unknown) => {
    if (!isFileError(error)) throw error;
    if (error.code === 'ENOENT') return null;
    throw cannotWrite(path, error);
  });
  if (entries !== null && entries.length > 0) {
    throw new CliError('bad-input', `${path} is not empty. Name a new directory.`);
  }
  const beside = join(dirname(target), `.${basename(target)}.${process.pid}.part`);
  try {
    await rm(beside, { recursive: true, force: true });
    for (const file of files) {
      const to = join(beside, file.path);
      makeDirectory(dirname(to), 0o777);
      await pipeline(Readable.from(file.content()), createWriteStream(to, { flush: true }));
    }
    if (entries !== null) await rmdir(target);
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    throw isFileError(error) ? cannotWrite(path, error) : error;
  }
}

function cannotWrite(path: string, cause: NodeJS.ErrnoException): CliError {
  return new CliError('bad-input', `Cannot write ${path}: ${cause.message}.`, { cause });
}
