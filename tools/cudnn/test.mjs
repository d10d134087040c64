#!/usr/bin/env node
// Runs the tests of executor cudnn on the real libraries of NVIDIA, without a GPU: `npm run test:cudnn`, on the
// build. The libraries (1.3 GB on disk) are downloaded once from PyPI into a cache outside the tree. Also compiles
// check-abi.c against the real headers. Skips the tests, with the reason, if the libraries are not available.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The versions of our H100 data. */
const WHEELS = [
  'nvidia-cudnn-cu13==9.19.0.56',
  'nvidia-cublas==13.1.2.11',
  'nvidia-cuda-nvrtc==13.0.88',
  'nvidia-cuda-runtime==13.0.96',
  // Headers that the runtime headers include.
  'nvidia-cuda-crt==13.0.88',
];
const root = resolve(import.meta.dirname, '../..');
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'alphaflops');
const folder = join(cache, 'cudnn-9.19.0.56-cuda-13.0');

const why = prepare();
if (why !== null) {
  console.log(`skipped: executor cudnn on NVIDIA's libraries: ${why}`);
  console.log('0 passed, 0 failed, 1 skipped');
  process.exit(0);
}
checkAbi();
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/jest/bin/jest.js'),
    '--selectProjects=contract',
    '--testPathPatterns=libs/executor-cudnn/src/real\\.contract',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
      ALPHAFLOPS_TEST_CUDNN: folder,
    },
  },
);
process.exit(status ?? 1);

/** Returns why the libraries are not available, or null. A file marks a complete folder. */
function prepare() {
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return null;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  console.log(`installing ${WHEELS.join(', ')} in ${folder} …`);
  const quietly = ['--quiet', '--disable-pip-version-check', '--no-input', '--root-user-action', 'ignore'];
  const args = [
    '-m',
    'pip',
    'install',
    ...quietly,
    '--no-deps',
    '--only-binary',
    ':all:',
    '--target',
    folder,
  ];
  const { status, error, stderr } = spawnSync('python3', [...args, ...WHEELS], { encoding: 'utf8' });
  if (status !== 0) return (error?.message ?? stderr).trim().split('\n').at(-1);
  writeFileSync(complete, `${WHEELS.join('\n')}\n`);
  return null;
}

/** Compares the assumptions of the executor with the headers. */
function checkAbi() {
  if (spawnSync('gcc', ['--version']).status !== 0) {
    console.log('skipped: the check of the headers: gcc is not installed');
    return;
  }
  const program = join(folder, 'check-abi');
  const includes = ['cudnn', 'cu13'].map((name) => `-I${join(folder, 'nvidia', name, 'include')}`);
  const built = spawnSync('gcc', [...includes, '-o', program, join(import.meta.dirname, 'check-abi.c')], {
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(`check-abi.c does not compile:\n${built.stderr}`);
  const checked = spawnSync(program, { encoding: 'utf8' });
  console.log(checked.stdout.trim().split('\n').at(-1));
  if (checked.status !== 0) throw new Error(`the assumptions of the executor are wrong:\n${checked.stdout}`);
}
