// Jest's global set-up of unit and contract tests. Tests run on the sources, and the processes that they start run on the build.
// To prevent tests of an old build, the set-up brings the build up to date. This takes about a second if nothing has changed.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import offerSwiftShader from './swiftshader.mjs';

const root = resolve(import.meta.dirname, '..');

/**
 * Runs a program of the packages that builds something.
 *
 * @throws Error with the output of the program if it fails
 */
export function build(program, ...args) {
  const command = join(root, 'node_modules/.bin', program);
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [command, ...args], {
    cwd: root,
    encoding: 'utf8',
    // Jest sets NODE_ENV, and the dashboard would be built for development.
    env: { ...process.env, NODE_ENV: undefined, NODE_OPTIONS: '', NX_DAEMON: 'false', NX_TUI: 'false' },
  });
  if (status === 0) return;
  const output = error?.message ?? `${stdout}${stderr}`;
  throw new Error(`Tests run processes of the build, and the build fails:\n${output}`);
}

export default function beforeTests() {
  build('tsc', '-b');
  offerSwiftShader();
}
