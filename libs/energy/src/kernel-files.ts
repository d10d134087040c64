import { readdirSync, readFileSync } from 'node:fs';

/** The text of a file of the kernel without its line end; null if the file does not exist. Throws if it is unreadable. */
export function kernelText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A whole number in a file of the kernel; null if the file is absent or has no number. Throws if it is unreadable. */
export function kernelNumber(path: string): number | null {
  const text = kernelText(path);
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
}

/** Names in a folder of the kernel, sorted; empty if the folder does not exist. */
export function kernelEntries(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Whether this process has no permission to read a file. */
export function isDenied(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM';
}

/** ENODEV: some drivers give this error for the files of a device that is switched off. */
function isMissing(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO'].includes(code);
}
