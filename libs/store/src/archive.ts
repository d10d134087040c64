import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { create, extract } from 'tar';

/** More than any campaign needs. The limit stops small archives that expand to a huge size. */
const MAX_UNPACKED_BYTES = 16 * 2 ** 30;

/** Packs the files of a folder as .tgz. The archive gets its final name only when it is complete. */
export async function packFolder(folder: string, file: string): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await create({ gzip: true, portable: true, cwd: folder, file: part }, await readdir(folder));
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}

/**
 * Unpacks only the named files of a .tgz into a folder.
 * @throws Error when the file is missing, is not a .tgz archive, lacks one of the named files, or is too large
 */
export async function unpackFile(file: string, folder: string, names: readonly string[]): Promise<void> {
  await lstat(file);
  let bytes = 0;
  const found = new Set<string>();
  await extract({
    file,
    cwd: folder,
    strict: true,
    filter: (path, entry) => {
      const isWanted = names.includes(path) && 'type' in entry && entry.type === 'File';
      if (!isWanted) return false;
      bytes += entry.size;
      found.add(path);
      return bytes <= MAX_UNPACKED_BYTES;
    },
  });
  if (bytes > MAX_UNPACKED_BYTES) throw new Error(`${file} is larger than any work file`);
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`${file} has no ${missing.join(' and no ')} in it`);
}
