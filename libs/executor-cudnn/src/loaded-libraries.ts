import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Why the loaded parts of cuDNN do not belong together, or null. cuDNN opens its parts itself, by name. With two installations
 * on the path it may load parts of both, and fail later with misleading errors.
 *
 * @param maps text in the format of /proc/self/maps: the file is the sixth field
 */
export function mixedInstallations(maps: string): string | null {
  const parts = new Map<string, string>();
  for (const line of maps.split('\n')) {
    const path = line.split(/\s+/).slice(5).join(' ');
    if (/^libcudnn[^/]*\.so/.test(basename(path))) parts.set(dirname(path), basename(path));
  }
  if (parts.size < 2) return null;
  const found = [...parts].map(([directory, part]) => `${part} in ${directory}`).join(', ');
  return `the parts of cuDNN come from ${parts.size} installations: ${found}. Leave one of them on LD_LIBRARY_PATH`;
}

/** The same check for this process at present. */
export function loadedFromTwoInstallations(): string | null {
  return mixedInstallations(readFileSync('/proc/self/maps', 'utf8'));
}
