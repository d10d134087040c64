// Jest's global set-up. Tests run on the sources, and the processes that they start on the build: a build that is older than
// the sources would be tested silently. So it is brought up to date first, which takes about a second when it already is.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import offerSwiftShader from './swiftshader.mjs';

const root = resolve(import.meta.dirname, '..');

/** The end-to-end tests also need the dashboard and the worker in one file. */
const COMMANDS = {
  types: ['node_modules/.bin/tsc', '-b'],
  all: ['node_modules/.bin/nx', 'run-many', '-t', 'build', 'bundle', '--output-style=static'],
};

export default function beforeTests(_, { displayName }) {
  const isUnit = ['unit', 'contract'].includes(displayName.name);
  const [program, ...args] = isUnit ? COMMANDS.types : COMMANDS.all;
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [join(root, program), ...args], {
    cwd: root,
    encoding: 'utf8',
    // Jest sets NODE_ENV, with which the dashboard would be built for development.
    env: { ...process.env, NODE_ENV: undefined, NODE_OPTIONS: '', NX_DAEMON: 'false', NX_TUI: 'false' },
  });
  if (status !== 0) {
    const output = error?.message ?? `${stdout}${stderr}`;
    throw new Error(`Tests run processes of the build, and the build fails:\n${output}`);
  }
  if (displayName.name === 'contract') offerSwiftShader();
}
