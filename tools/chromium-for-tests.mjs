// Chromium for tests that need a browser: CHROMIUM_PATH, one on PATH, or Debian's, installed once by apt-get.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const INSTALL_LIMIT_MS = 240_000;

/** What every test starts it with: no window, no GPU, nothing in the background that could call the network. */
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

/** @returns {{ path: string } | { skip: string }} the program, or why there is none */
export function chromiumForTests() {
  const found = process.env.CHROMIUM_PATH ?? onPath();
  if (found) return { path: found };
  const failure = install();
  const installed = onPath();
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

/** Why it failed; undefined when it did not. */
function install() {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) {
    return 'installing it needs root or sudo';
  }
  const apt = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-q',
    '-y',
    '-o',
    'DPkg::Lock::Timeout=120',
  ];
  const steps = [['update'], ['install', '--no-install-recommends', 'chromium', 'fonts-dejavu-core']];
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
