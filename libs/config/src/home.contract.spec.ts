import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Runs the build in its own process, because the home directory depends on the user and the environment. */
function workerDirectory(env: Record<string, string>, uid?: number): unknown {
  const library = join(import.meta.dirname, '../dist/index.js');
  const program = `
    const { readConfig } = await import(${JSON.stringify(library)});
    ${uid === undefined ? '' : `process.setgroups([]); process.setgid(${uid}); process.setuid(${uid});`}
    console.log(JSON.stringify(readConfig().workerDirectory));`;
  const args = ['--input-type=module', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, args, { env, encoding: 'utf8' }));
}

it('uses HOME, and treats an empty HOME as absent', () => {
  expect(workerDirectory({ HOME: '/somewhere' })).toBe('/somewhere/.config/alphaflops');
  expect(workerDirectory({ HOME: '' })).toBe(workerDirectory({}));
});

const isRoot = process.getuid?.() === 0;
(isRoot ? it : it.skip)('starts for an unknown user id without HOME (skipped: needs root)', () => {
  expect(workerDirectory({}, 54_321)).toBeNull();
  expect(workerDirectory({ HOME: '' }, 54_321)).toBeNull();
  expect(workerDirectory({ ALPHAFLOPS_DATA_DIR: '/data' }, 54_321)).toBe('/data');
});
