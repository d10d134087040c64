import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Why the parts of cuDNN that this process has loaded do not belong together, or null. cuDNN opens its parts by itself,
 * by name: with two installations on the path it may take them from both, and fail later in strange ways.
 *
 * @param maps as /proc/self/maps is written: the file is the sixth field
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

/** The same of this process, now. */
export function loadedFromTwoInstallations(): string | null {
  return mixedInstallations(readFileSync('/proc/self/maps', 'utf8'));
}
