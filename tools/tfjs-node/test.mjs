#!/usr/bin/env node
// Runs the tests of executor tfjs-node on a real TensorFlow: `npm run test:tfjs-node`, on the build. TensorFlow for
// processors (1.3 GB on disk) is downloaded once from PyPI into a cache outside the tree. Skips the tests, with the
// reason, if TensorFlow is not available.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  buildAddon,
  CannotBuild,
  lastLine,
  run,
  TFJS_NODE_VERSION,
} from '@alphaflops/worker/tfjs-node-addon';

const TENSORFLOW = 'tensorflow_cpu==2.21.0';

const root = resolve(import.meta.dirname, '../..');
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'alphaflops');
const folder = join(cache, `tfjs-node-${TFJS_NODE_VERSION}-${TENSORFLOW.replace('==', '-')}`);

try {
  prepare();
} catch (error) {
  if (!(error instanceof CannotBuild)) throw error;
  console.log(`skipped: executor tfjs-node on a real TensorFlow: ${error.message}`);
  console.log('0 passed, 0 failed, 1 skipped');
  process.exit(0);
}
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--selectProjects=contract',
    '--testPathPatterns=libs/executor-tfjs/src/node/tfjs-node\\.contract',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
      ALPHAFLOPS_TEST_TFJS_NODE: folder,
    },
  },
);
process.exit(status ?? 1);

/** Creates the virtual environment in place, because it contains its path. A file marks a complete folder. */
function prepare() {
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const environment = join(folder, 'python');
  console.log(`installing ${TENSORFLOW} in ${environment} …`);
  need('python3', ['-m', 'venv', environment]);
  const python = join(environment, 'bin/python');
  // Without the Python dependencies of TensorFlow, because only its libraries and headers are used.
  need(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', TENSORFLOW]);
  writeFileSync(complete, `TensorFlow ${buildAddon({ python, gpu: false, folder, log: console.log })}\n`);
}

function need(program, args) {
  try {
    run(program, args);
  } catch (error) {
    throw new CannotBuild(lastLine(error.message));
  }
}
