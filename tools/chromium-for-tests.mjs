// Finds Chromium for tests that need a browser: CHROMIUM_PATH, a program on PATH, or the package of Debian. The
// package is installed once with apt-get, or unpacked into the cache of the checkout if it cannot be installed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { launcher, unpackDebianPackages } from './debian-packages.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const INSTALL_LIMIT_MS = 240_000;
const PACKAGES = ['chromium', 'fonts-dejavu-core'];

const modules = resolve(import.meta.dirname, '../node_modules');
const unpacked = resolve(modules, '.cache/alphaflops/chromium');
const unpackedProgram = resolve(modules, '.bin/chromium-unpacked');

/** The arguments of every test: no window, no GPU, no background activity that could use the network. */
export const CHROMIUM_ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @returns {{ path: string } | { skip: string }} the program, or why it is missing */
export function chromiumForTests() {
  const found =
    process.env.CHROMIUM_PATH ?? onPath() ?? (existsSync(unpackedProgram) ? unpackedProgram : undefined);
  if (found) return { path: found };
  const failure = mayInstall() ? install() : unpack();
  const installed = onPath() ?? (existsSync(unpackedProgram) ? unpackedProgram : undefined);
  return installed === undefined
    ? { skip: `no CHROMIUM_PATH, none on PATH, and ${failure ?? 'apt-get brought none'}` }
    : { path: installed };
}

function onPath() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const isRoot = process.getuid?.() === 0;

function mayInstall() {
  return isRoot || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
}

/** Returns the reason of a failure, or undefined. */
function unpack() {
  try {
    unpackDebianPackages(PACKAGES, unpacked);
    mkdirSync(join(modules, '.bin'), { recursive: true });
    writeFileSync(unpackedProgram, launcher(unpacked, 'usr/lib/chromium/chromium'), { mode: 0o755 });
    const { status, stderr } = spawnSync(unpackedProgram, ['--version'], { encoding: 'utf8' });
    if (status === 0) return undefined;
    rmSync(unpackedProgram);
    return `the unpacked program does not start: ${stderr.trim().split('\n').at(-1)}`;
  } catch (error) {
    return error.message;
  }
}

/** Returns the reason of a failure, or undefined. */
function install() {
  const apt = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-q',
    '-y',
    '-o',
    'DPkg::Lock::Timeout=120',
  ];
  const steps = [['update'], ['install', '--no-install-recommends', ...PACKAGES]];
  for (const step of steps) {
    const [program, ...rest] = [...(isRoot ? [] : ['sudo', '-n']), ...apt, ...step];
    const { status, stderr, error } = spawnSync(program, rest, {
      encoding: 'utf8',
      timeout: INSTALL_LIMIT_MS,
    });
    if (status !== 0) {
      const reason = error?.message ?? stderr.trim().split('\n').at(-1);
      return `apt-get ${step[0]} failed: ${reason}`;
    }
  }
  return undefined;
}
