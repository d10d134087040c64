import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, makeDirectory } from './index.js';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'alphaflops-directory-'));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

it('makes a directory and its parents for this user only, and does not change an existing one', () => {
  const path = join(base, 'a', 'b ü');
  makeDirectory(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  makeDirectory(path);
  makeDirectory(base);
});

it('names a directory whose parent is a file', () => {
  writeFileSync(join(base, 'file'), '');
  for (const path of [join(base, 'file'), join(base, 'file', 'x')]) {
    expect(() => {
      makeDirectory(path);
    }).toThrow(ConfigError);
    expect(() => {
      makeDirectory(path);
    }).toThrow(`The directory ${path} cannot be made`);
  }
});

(existsSync('/proc/self') ? it : it.skip)(
  'ends if the directory cannot exist there (skipped without /proc)',
  () => {
    expect(() => {
      makeDirectory('/proc/x/y');
    }).toThrow('The directory /proc/x/y cannot be made: ENOENT');
  },
);
