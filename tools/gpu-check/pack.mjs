#!/usr/bin/env node
// Packs everything that the checks on a GPU machine need, Node included, into one file:
//   npm run build && node tools/gpu-check/pack.mjs DATA_FOLDER gpu-check.tgz
// DATA_FOLDER has h100-random-kernels.csv, or h100-random.csv, and h100-energy.csv. On the GPU machine, which needs neither network nor Node:
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
import { basename, dirname, join, resolve } from 'node:path';
import { unpackedRedis } from '../redis-without-root.mjs';

/**
 * The packages that gpu-check.mjs imports and runs. Their dependencies are added. The native parts are optional
 * dependencies.
 */
const PACKAGES = ['alphaflops', 'expect'];
const NATIVE = [
  `@koromix/koffi-${process.platform}-${process.arch}`,
  `@libsql/${process.platform}-${process.arch}-gnu`,
];
/** Loaded only when such an executor is requested. */
const LEFT_OUT = new Set(['@alphaflops/executor-tfjs']);
/** Files for browsers, built from its dependencies. */
const WITHOUT_DEPENDENCIES = new Set(['@alphaflops/dashboard']);
const SHAPES = 400;
const ENERGY_SHAPES = 60;
const CAMPAIGN_SHAPES = 1000;

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
  for (const file of ['gpu-check.mjs', 'campaign.mjs', 'tiny-runner.mjs', 'run.sh']) {
    cpSync(join(import.meta.dirname, file), join(target, file));
  }
  cpSync(join(root, 'tools/pytorch-executor/alphaflops_pytorch.py'), join(target, 'alphaflops_pytorch.py'));
  chmodSync(join(target, 'run.sh'), 0o755);
  packRedis();
  // With the kernels that ran, if the data contain them.
  const named = 'h100-random-kernels.csv';
  const random = existsSync(join(data, named)) ? named : 'h100-random.csv';
  writeRows(random, SHAPES, 'h100-random.csv');
  writeRows('h100-energy.csv', ENERGY_SHAPES, 'h100-energy.csv');
  writeRows(random, CAMPAIGN_SHAPES, 'h100-campaign.csv');
  execFileSync('tar', ['czf', resolve(output), '-C', work, 'gpu-check']);
  console.log(`${output}: ${(statSync(output).size / 2 ** 20).toFixed(1)} MiB`);
} finally {
  rmSync(work, { recursive: true });
}

/** Adds redis-server with its libraries and their loader. The other machine may have different libraries, or none. */
function packRedis() {
  const found = realpathSync(execFileSync('which', ['redis-server'], { encoding: 'utf8' }).trim());
  const isLauncher = readFileSync(found).subarray(0, 2).toString() === '#!';
  const { program, libraries: folders } = (isLauncher ? unpackedRedis() : null) ?? {
    program: found,
    libraries: [],
  };
  const env = { ...process.env, ...(folders.length > 0 && { LD_LIBRARY_PATH: folders.join(':') }) };
  const listed = execFileSync('ldd', [program], { encoding: 'utf8', env });
  // The path may contain spaces.
  const libraries = [...listed.matchAll(/^\s*(?:\S+ => )?(\/.+) \(0x/gm)].map(([, path]) => path);
  const loader = libraries.find((path) => basename(path).startsWith('ld-linux'));
  if (loader === undefined) throw new Error(`${program} has no loader among ${libraries.join(' ')}`);
  mkdirSync(join(target, 'redis'));
  for (const path of libraries) cpSync(realpathSync(path), join(target, 'redis', basename(path)));
  cpSync(program, join(target, 'redis/redis-server.bin'));
  writeFileSync(
    join(target, 'redis/redis-server'),
    '#!/bin/sh\nhere=$(dirname "$0")\n' +
      `exec "$here/${basename(loader)}" --library-path "$here" "$here/redis-server.bin" "$@"\n`,
    { mode: 0o755 },
  );
}

/**
 * Returns the packages and all their dependencies, with the position in node_modules and the source folder of each.
 * If there are two versions, the second one is placed inside the package that needs it.
 */
function closure(names) {
  const found = new Map();
  const add = (name, from, parent) => {
    if (LEFT_OUT.has(name)) return;
    const folder = locate(name, from);
    const place = (found.get(name) ?? folder) === folder ? name : `${parent}/node_modules/${name}`;
    if (found.has(place)) return;
    found.set(place, folder);
    if (WITHOUT_DEPENDENCIES.has(name)) return;
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const dependency of Object.keys(dependencies)) add(dependency, folder, place);
  };
  for (const name of names) add(name, root, '');
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
    ? /^\/(src|test|node_modules)$|\.spec\.|\.map$|\.d\.ts$/
    : /^\/(vendor|doc|node_modules)$|\.map$|\.d\.[cm]?ts$/;
  cpSync(folder, join(target, 'node_modules', name), {
    recursive: true,
    filter: (path) => !leftOut.test(path.slice(folder.length)),
  });
}

/** Selects evenly spaced rows. The file is in random order. */
function writeRows(from, count, name) {
  const [header, ...rows] = readFileSync(join(data, from), 'utf8').trimEnd().split('\n');
  const step = Math.max(1, Math.floor(rows.length / count));
  const chosen = rows.filter((_, index) => index % step === 0).slice(0, count);
  writeFileSync(join(target, name), `${[header, ...chosen].join('\n')}\n`);
}
