import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { types } from 'node:util';
import type { TextSource } from '@alphaflops/dataset';
import { CliError } from './error.js';

/** Means standard input or standard output in place of a file's name. */
export const STANDARD = '-';

/** The name of a file in messages. */
export function inputName(path: string): string {
  return path === STANDARD ? 'standard input' : path;
}

/** Reports the unused columns of a file once on standard error. */
export function noteIgnored(path: string): (columns: readonly string[]) => void {
  return (columns) => {
    const names = columns.map((name) => JSON.stringify(name)).join(', ');
    console.error(`${inputName(path)}: columns not used: ${names}`);
  };
}

/**
 * The bytes of a file, or of standard input for `-`.
 * @throws CliError `bad-input` during reading, if the file cannot be read
 */
export async function* readInput(path: string): TextSource & AsyncGenerator<Uint8Array> {
  try {
    const source = path === STANDARD ? process.stdin : createReadStream(path);
    for await (const piece of source) yield piece as Uint8Array;
  } catch (error) {
    throw isFileError(error) ? unreadable(path, error) : error;
  }
}

/** Like `readInput`, but reports the number of read bytes and of all bytes. For standard input the total is unknown. */
export async function* readWithProgress(
  path: string,
  show: (done: number, total: number, what: string) => void,
): TextSource & AsyncGenerator<Uint8Array> {
  const total = path === STANDARD ? 0 : await stat(path).then(({ size }) => size, () => 0); // prettier-ignore
  let done = 0;
  for await (const piece of readInput(path)) {
    yield piece;
    done += piece.length;
    show(done, total, inputName(path));
  }
}

/** All bytes of a file, like `readInput`. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readInput(path)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The whole text of a file, like `readInput`. */
export async function readText(path: string): Promise<string> {
  try {
    return path === STANDARD ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw isFileError(error) ? unreadable(path, error) : error;
  }
}

/**
 * Writes a file, or to standard output for `-`. The file is complete or does not exist: the function writes it under
 * another name in the same folder and then renames it. It writes directly to a path that is not a regular file (a pipe,
 * /dev/null). * @throws CliError `bad-input` if it cannot be written; errors of `pieces` without changes, and no file
 * remains
 */
export async function writeOutput(path: string, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  if (path === STANDARD) {
    await pipeline(Readable.from(pieces), process.stdout, { end: false });
    return;
  }
  const target = await targetOf(path);
  if (!target.replace) {
    await pipeline(Readable.from(pieces), createWriteStream(target.path)).catch(explain(path, target.path));
    return;
  }
  const beside = join(dirname(target.path), `.${basename(target.path)}.${process.pid}.part`);
  const abandon = (signal: NodeJS.Signals): void => {
    rmSync(beside, { force: true });
    process.removeListener(signal, abandon);
    process.kill(process.pid, signal);
  };
  process.once('SIGINT', abandon).once('SIGTERM', abandon);
  try {
    await pipeline(Readable.from(pieces), createWriteStream(beside, { mode: target.mode, flush: true }));
    await rename(beside, target.path);
  } catch (error) {
    await rm(beside, { force: true });
    explain(path, beside)(error);
  } finally {
    process.removeListener('SIGINT', abandon).removeListener('SIGTERM', abandon);
  }
}

/** Writes the whole text at once, like `writeOutput`. */
export function writeText(path: string, content: string): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece
  const pieces = async function* () {
    yield content;
  };
  return writeOutput(path, pieces());
}

interface Target {
  /** Follows symbolic links: the link stays, and its target is replaced. */
  readonly path: string;
  readonly replace: boolean;
  readonly mode: number;
}

async function targetOf(path: string): Promise<Target> {
  try {
    const present = await stat(path);
    if (present.isDirectory()) throw new CliError('bad-input', `Cannot write ${path}: it is a directory.`);
    return { path: await realpath(path), replace: present.isFile(), mode: present.mode & 0o777 };
  } catch (error) {
    if (error instanceof CliError) throw error;
    return { path, replace: true, mode: 0o666 };
  }
}

/** Converts errors of the written file to readable errors. Errors of the content do not change. */
function explain(path: string, written: string): (error: unknown) => never {
  return (error) => {
    if (!isFileError(error) || (error.path !== undefined && error.path !== written)) throw error;
    throw new CliError('bad-input', `Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  };
}

export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return types.isNativeError(error) && 'syscall' in error && 'errno' in error;
}

/** Converts an error of a file to a readable error. Returns other errors without changes. */
export function unreadableFile(path: string, error: unknown): unknown {
  return isFileError(error) ? unreadable(path, error) : error;
}

function unreadable(path: string, error: NodeJS.ErrnoException): CliError {
  return new CliError('bad-input', `Cannot read ${inputName(path)}: ${reasonOf(error)}.`, { cause: error });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'the file or directory does not exist';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'no permission';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
      return 'a part of its path is not a directory';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return message;
  }
}
