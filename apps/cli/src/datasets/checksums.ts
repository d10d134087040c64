import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CHECKSUMS } from '@alphaflops/dataset';
import type { Finding } from './finding.js';
import { readDocument } from './source.js';

/** Maximum depth of folders and maximum number of files of a data set. */
const MAX_DEPTH = 3;
const MAX_FILES = 10_000;

/** Compares the files of a directory with its checksums and returns the problems. Never leaves the directory. */
export async function checkSums(directory: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const tell = (code: string, file: string, message: string, line: number | null = null): void => {
    findings.push({ code, file, line, column: null, message });
  };
  let text: string;
  try {
    text = await readDocument(join(directory, CHECKSUMS));
  } catch (error) {
    tell('checksums', CHECKSUMS, (error as Error).message);
    return findings;
  }
  const sums = new Map<string, string>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [, sum, path] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (sum === undefined || path === undefined) {
      tell('checksums', CHECKSUMS, 'expected a SHA-256, two blanks and a file', at + 1);
    } else if (!isInside(path)) {
      tell(
        'path',
        CHECKSUMS,
        `names a file that is not within the directory: ${JSON.stringify(path)}`,
        at + 1,
      );
    } else {
      sums.set(path, sum);
    }
  }
  const present = await filesIn(directory, tell);
  for (const [path, sum] of sums) {
    if (!present.has(path)) tell('missing-file', path, 'has a checksum, but is missing');
    else if ((await sumOf(join(directory, path))) !== sum) {
      tell('checksum', path, 'its content does not match its checksum');
    }
  }
  for (const path of present) {
    if (path !== CHECKSUMS && !sums.has(path)) tell('unlisted-file', path, 'has no checksum');
  }
  return findings;
}

/** A relative path without `..`, on any system. */
export function isInside(path: string): boolean {
  return (
    /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(path) && !path.split('/').some((part) => /^\.+$/.test(part))
  );
}

/** Regular files, with slashes; others, such as links, are reported. Hidden files at the top belong to tools like git. */
async function filesIn(
  directory: string,
  tell: (code: string, file: string, message: string) => void,
): Promise<Set<string>> {
  const found = new Set<string>();
  const walk = async (folder: string, depth: number): Promise<void> => {
    for (const name of await readdir(join(directory, folder))) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (folder === '' && name.startsWith('.')) continue;
      const kind = await lstat(join(directory, path));
      if (kind.isFile()) found.add(path);
      else if (!kind.isDirectory()) tell('path', path, 'is not a regular file');
      else if (depth === MAX_DEPTH)
        tell('path', path, 'is a folder at a depth that is not allowed in a data set');
      else await walk(path, depth + 1);
      if (found.size > MAX_FILES) return;
    }
  };
  await walk('', 1);
  return found;
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
