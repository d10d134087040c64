#!/usr/bin/env node
// Packs everything that the checks on a GPU machine need, Node included, into one file:
//   npm run build && node tools/gpu-check/pack.mjs DATA_FOLDER gpu-check.tgz
// DATA_FOLDER has h100-random.csv and h100-energy.csv. On the GPU machine, which needs neither network nor Node:
//   tar xzf gpu-check.tgz && gpu-check/run.sh --out FOLDER
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** What gpu-check.mjs imports; their dependencies come along. The native part of koffi is an optional one. */
const PACKAGES = ['@alphaflops/executor', '@alphaflops/executor-cudnn', '@alphaflops/measure', 'expect'];
const NATIVE = [`@koromix/koffi-${process.platform}-${process.arch}`];
const SHAPES = 400;
const ENERGY_SHAPES = 60;

const [data, output] = process.argv.slice(2);
if (data === undefined || output === undefined) {
  console.error('usage: pack.mjs DATA_FOLDER OUTPUT.tgz');
  process.exit(2);
}
const root = resolve(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'gpu-check-'));
const target = join(work, 'gpu-check');
try {
  mkdirSync(join(target, 'node_modules'), { recursive: true });
  for (const [name, folder] of closure([...PACKAGES, ...NATIVE])) copyPackage(name, folder);
  cpSync(realpathSync(process.execPath), join(target, 'node'));
  execFileSync('strip', ['--strip-unneeded', join(target, 'node')], { stdio: 'ignore' });
  for (const file of ['gpu-check.mjs', 'tiny-runner.mjs', 'run.sh']) {
    cpSync(join(import.meta.dirname, file), join(target, file));
  }
  chmodSync(join(target, 'run.sh'), 0o755);
  writeRows('h100-random.csv', SHAPES);
  writeRows('h100-energy.csv', ENERGY_SHAPES);
  execFileSync('tar', ['czf', resolve(output), '-C', work, 'gpu-check']);
  console.log(`${output}: ${(statSync(output).size / 2 ** 20).toFixed(1)} MiB`);
} finally {
  rmSync(work, { recursive: true });
}

/** Packages and all that they depend on, each once: the workspace has one version of each. */
function closure(names) {
  const found = new Map();
  const add = (name, from) => {
    if (found.has(name)) return;
    const folder = locate(name, from);
    found.set(name, folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const dependency of Object.keys(dependencies)) add(dependency, folder);
  };
  for (const name of names) add(name, root);
  return found;
}

function locate(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return realpathSync(candidate);
    if (folder === dirname(folder)) throw new Error(`${name} is not installed`);
  }
}

function copyPackage(name, folder) {
  const leftOut = name.startsWith('@alphaflops/')
    ? /^\/(src|test|node_modules)$|\.spec\./
    : /^\/(vendor|doc|node_modules)$|\.map$/;
  cpSync(folder, join(target, 'node_modules', name), {
    recursive: true,
    filter: (path) => !leftOut.test(path.slice(folder.length)),
  });
}

/** Evenly spread rows: the file is in random order. */
function writeRows(name, count) {
  const [header, ...rows] = readFileSync(join(data, name), 'utf8').trimEnd().split('\n');
  const step = Math.max(1, Math.floor(rows.length / count));
  const chosen = rows.filter((_, index) => index % step === 0).slice(0, count);
  writeFileSync(join(target, name), `${[header, ...chosen].join('\n')}\n`);
}
