import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/**
 * Unpacks the files of a wheel (a zip archive) whose path matches.
 * @throws Error for an archive that is damaged, or whose paths lead out of `folder` (yauzl refuses them)
 */
export async function unpackWheel(wheel: string, folder: string, pattern: RegExp): Promise<void> {
  const archive = await openPromise(wheel);
  try {
    for await (const entry of archive.eachEntry()) {
      if (!pattern.test(entry.fileName) || entry.fileName.endsWith('/')) continue;
      const file = join(folder, entry.fileName);
      await mkdir(dirname(file), { recursive: true });
      await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(file));
    }
  } finally {
    archive.close();
  }
}
