import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { types } from 'node:util';
import type { TextSource } from '@alphaflops/dataset';
import { CliError } from './error.js';

/** What stands for standard input and standard output in place of a file's name. */
export const STANDARD = '-';

/** What a file is called in messages. */
export function inputName(path: string): string {
  return path === STANDARD ? 'standard input' : path;
}

/** Says once on standard error which columns of a file are not read. */
export function noteIgnored(path: string): (columns: readonly string[]) => void {
  return (columns) => {
    const names = columns.map((name) => JSON.stringify(name)).join(', ');
    console.error(`${inputName(path)}: columns not used: ${names}`);
  };
}

/**
 * The bytes of a file, or of standard input for `-`.
 * @throws CliError `bad-input`, while it is read, when it cannot be
 */
export async function* readInput(path: string): TextSource & AsyncGenerator<Uint8Array> {
  try {
    const source = path === STANDARD ? process.stdin : createReadStream(path);
    for await (const piece of source) yield piece as Uint8Array;
  } catch (error) {
    throw isFileError(error) ? unreadable(path, error) : error;
  }
}

/** As `readInput`, and reports how many of how many bytes are read. The total is not known for standard input. */
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

/** All bytes of a file, as `readInput`. */
export async function readBytes(path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readInput(path)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The whole text of a file, as `readInput`. */
export async function readText(path: string): Promise<string> {
  try {
    return path === STANDARD ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw isFileError(error) ? unreadable(path, error) : error;
  }
}

/**
 * Writes a file, or to standard output for `-`. The file is there in full or not at all: it is written under another
 * name beside and then renamed. What is no regular file (a pipe, /dev/null) is written as it is.
 * @throws CliError `bad-input` when it cannot be written; errors of `pieces` as they are, with nothing left behind
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

/** The whole text at once, as `writeOutput`. */
export function writeText(path: string, content: string): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece
  const pieces = async function* () {
    yield content;
  };
  return writeOutput(path, pieces());
}

interface Target {
  /** Through symbolic links: the link stays, what it points to is replaced. */
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

/** Errors of the file we write become errors for people; those of what we write stay what they are. */
function explain(asked: string, written: string): (error: unknown) => never {
  return (error) => {
    if (!isFileError(error) || (error.path !== undefined && error.path !== written)) throw error;
    throw new CliError('bad-input', `Cannot write ${asked}: ${reasonOf(error)}.`, { cause: error });
  };
}

export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return types.isNativeError(error) && 'syscall' in error && 'errno' in error;
}

/** An error of a file as one for people; other errors as they are. */
export function unreadableFile(path: string, error: unknown): unknown {
  return isFileError(error) ? unreadable(path, error) : error;
}

function unreadable(path: string, error: NodeJS.ErrnoException): CliError {
  return new CliError('bad-input', `Cannot read ${inputName(path)}: ${reasonOf(error)}.`, { cause: error });
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or directory';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'no permission';
    case 'EISDIR':
      return 'it is a directory';
    case 'ENOTDIR':
      return 'a part of its path is no directory';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return message;
  }
}
