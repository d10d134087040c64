// Installs Python packages that only tests need into a virtual environment outside the tree.
//   node tools/python-for-tests.mjs mlcroissant
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const VERSIONS = { duckdb: 'duckdb==2.0.1', mlcroissant: 'mlcroissant==1.1.1', onnx: 'onnx==1.23.2' };

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'alphaflops');
const environment = join(cache, 'python-for-tests');
const python = join(environment, 'bin/python');

/** Whether a package is installed. */
export function hasPythonForTests(name) {
  return existsSync(python) && spawnSync(python, ['-c', `import ${name}`]).status === 0;
}

/** Installs a package by its name in VERSIONS. @throws Error with the last output line */
export function installPythonForTests(name) {
  const version = VERSIONS[name];
  if (version === undefined) throw new Error(`name one of ${Object.keys(VERSIONS).join(', ')}`);
  if (!existsSync(python)) {
    mkdirSync(dirname(environment), { recursive: true });
    try {
      run('python3', ['-m', 'venv', environment]);
    } catch (error) {
      rmSync(environment, { recursive: true, force: true });
      throw error;
    }
  }
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', version]);
}

function run(program, args) {
  const { status, stderr, stdout, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  const lastLine = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').at(-1);
  throw new Error(error?.message ?? lastLine ?? `${program} failed`);
}

if (import.meta.filename === process.argv[1]) {
  try {
    for (const name of process.argv.slice(2)) installPythonForTests(name);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
