import { readFileSync } from 'node:fs';

/** What loading our modules takes is below this; a worker with many connections needs more. */
const NEEDED_FILES = 256;

/** Whether this process may open enough files, and says so where it may not: Node's loader would fail in a module. */
export function mayOpenEnoughFiles() {
  const files = openFilesLimit();
  if (files >= NEEDED_FILES) return true;
  console.error(`This process may open ${files} files, which is too few: raise the limit (ulimit -n 1024).`);
  process.exitCode = 1;
  return false;
}

/** Of this process; infinite where the system does not say. */
function openFilesLimit() {
  try {
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? Infinity : Number(limit);
  } catch {
    return Infinity;
  }
}
