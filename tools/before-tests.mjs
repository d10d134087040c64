// Global set-up of Jest. Tests run on the sources, but the processes that they start run on the build. Tests would
// silently use an old build. This set-up therefore updates the build first, which takes about a second if there is
// nothing to update.
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
    // Jest sets NODE_ENV. With this value, the dashboard would be built for development.
    env: { ...process.env, NODE_ENV: undefined, NODE_OPTIONS: '', NX_DAEMON: 'false', NX_TUI: 'false' },
  });
  if (status !== 0) {
    const output = error?.message ?? `${stdout}${stderr}`;
    throw new Error(`The tests need the build, and the build fails:\n${output}`);
  }
  if (displayName.name === 'contract') offerSwiftShader();
}
