#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';

/** What loading our modules takes is below this; a worker with many connections needs more. */
const NEEDED_FILES = 256;

const program = new URL('../dist/main.js', import.meta.url);
const files = openFilesLimit();
if (files < NEEDED_FILES) {
  // Further on, Node's loader itself would fail, in the middle of a module.
  console.error(`This process may open ${files} files, which is too few: raise the limit (ulimit -n 1024).`);
  process.exitCode = 1;
} else if (existsSync(program)) {
  await import(program.href);
} else {
  console.error('alphaflops is not built yet: run `npm run build` in its checkout first.');
  process.exitCode = 1;
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
