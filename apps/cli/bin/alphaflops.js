#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { mayOpenEnoughFiles } from './open-files.js';

const program = new URL('../dist/main.js', import.meta.url);
if (mayOpenEnoughFiles()) {
  if (existsSync(program)) {
    await import(program.href);
  } else {
    console.error('alphaflops is not built yet: run `npm run build` in its checkout first.');
    process.exitCode = 1;
  }
}
