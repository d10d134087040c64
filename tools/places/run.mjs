// `run.mjs [--quick]`: runs the two commands of the README in different places. A place is a user, a path and an
// environment. In each place, the tests that depend on the place run. The long form also clones, installs and runs
// the demo.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { clone, give, linkedCopy, ORDINARY_USER, pathOfUser, withoutInstalledRedis } from './places.mjs';

const root = resolve(import.meta.dirname, '../..');
const isRoot = process.getuid?.() === 0;
const isQuick = process.argv.includes('--quick');

/** Tests that start child processes, search for programs, read the home directory, or write to folders. */
const QUICK_TESTS = ['libs/config/', 'store-sqlite/src/processes', 'executor-process/src/stub'];
/** In the quick form, only for the other user: the end-to-end tests start it as root. */
const UP = 'cli/src/up\\.';
const LONG_TESTS = [
  ...[...QUICK_TESTS, UP, 'worker/src/credentials', 'cli/src/(on|off)line', 'worker/src/worker\\.contract'],
  ...['executor-cudnn/src/find-libraries', 'test/(docs|gpu-check|workspace|deployment-files|tls)\\.e2e'],
];

const base = mkdtempSync(join(tmpdir(), 'alphaflops-places-'));
const failures = [];
const skipped = [];
// Everyone may enter the folder. The files inside have their own permissions.
chmodSync(base, 0o755);

function run(place, program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: place.checkout,
    env: place.env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(place.uid === undefined ? {} : { uid: place.uid, gid: place.uid }),
  });
  return { passed: status === 0, words: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}` };
}

/** Runs a program in a place. Prints its output if it fails. */
function check(place, what, program, args) {
  const began = performance.now();
  const { passed, words } = run(place, program, args);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${passed ? 'passed' : 'FAILED'} in ${seconds} s: ${what}, ${place.name}`);
  if (!passed) {
    failures.push(`${what}, ${place.name}`);
    console.log(words);
  }
  return words;
}

function runTests(place, patterns) {
  const jest = join(place.checkout, 'node_modules/jest/bin/jest.js');
  const args = [jest, '--testPathPatterns', ...patterns];
  const env = {
    ...place.env,
    NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
    PATH: [place.env.PATH, join(place.checkout, 'node_modules/.bin')].join(':'),
  };
  const words = check({ ...place, env }, 'the tests that depend on the place', process.execPath, args);
  const summary = /^Tests:.*$/m.exec(words);
  if (summary !== null) console.log(`  ${summary[0]}`);
}

/** The settings for access to package registries: proxies and certificates of the network. */
const NETWORK = /^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|(https?|no|all)_proxy)$/i;
const network = Object.fromEntries(Object.entries(process.env).filter(([name]) => NETWORK.test(name)));
const environment = (path, extra = {}) => ({ PATH: path, LANG: 'C.UTF-8', ...network, ...extra });

function placeOfOwn() {
  const folder = join(base, 'closed to others');
  mkdirSync(folder, { mode: 0o700 });
  return {
    name: `${isRoot ? 'root' : 'this user'}, in a folder closed to others, HOME unset`,
    checkout: join(folder, 'main'),
    // The Node of this process comes first, so that `npm run demo` also uses it.
    env: environment(`${dirname(process.execPath)}:${process.env.PATH ?? ''}`),
  };
}

function placeOfUser() {
  const home = join(base, 'Größe und Übung');
  mkdirSync(home, { mode: 0o700 });
  return {
    name: 'an ordinary user, path with spaces and umlauts, PATH with a closed folder and without Redis',
    checkout: join(home, 'main'),
    uid: ORDINARY_USER,
    // The quick form starts no program that needs a home directory. npm stores its cache there.
    env: environment(pathOfUser(base), {
      APT_CONFIG: withoutInstalledRedis(base),
      ...(isQuick ? {} : { HOME: home }),
    }),
  };
}

const succeeds = (program, args, uid) =>
  spawnSync(program, args, { stdio: 'ignore', ...(uid === undefined ? {} : { uid, gid: uid, cwd: '/' }) })
    .status === 0;

const isOpenToOthers = () => succeeds(process.execPath, ['--version'], ORDINARY_USER);

/** Updates the package lists in the same way as set-up, which keeps them for a day. */
function arePackagesReachable(place) {
  const module = JSON.stringify(join(place.checkout, 'tools/debian-packages.mjs'));
  const program = `(await import(${module})).updateLists()`;
  return run(place, process.execPath, ['--input-type=module', '--eval', program]).passed;
}

/** Runs as root or as the present user, with HOME unset. */
function checkOwnPlace() {
  const place = placeOfOwn();
  if (isQuick) linkedCopy(root, place.checkout);
  else clone(root, place.checkout);
  if (!isQuick) check(place, 'npm run demo', 'npm', ['run', 'demo']);
  runTests(place, isQuick ? QUICK_TESTS : LONG_TESTS);
  return place;
}

/** Runs as another user, in the same checkout, moved to a folder of that user. */
function checkPlaceOfUser(checkout) {
  const place = placeOfUser();
  renameSync(checkout, place.checkout);
  give(dirname(place.checkout), place.uid);
  if (arePackagesReachable(place)) {
    const setUp = ['tools/setup.mjs', ...(isQuick ? ['--no-build'] : [])];
    check(place, 'set-up without Redis and root', process.execPath, setUp);
  } else {
    skipped.push('set-up without Redis: apt-get cannot download package lists');
    place.env.PATH += `:${process.env.PATH ?? ''}`;
  }
  if (!isQuick) check(place, 'npm run demo', 'npm', ['run', 'demo']);
  runTests(place, isQuick ? [...QUICK_TESTS, UP] : LONG_TESTS);
}

try {
  const { checkout } = checkOwnPlace();
  if (!isRoot) skipped.push('another user: run this program as root for this check');
  else if (!isOpenToOthers()) skipped.push(`another user: ${process.execPath} is not accessible for them`);
  else checkPlaceOfUser(checkout);
} finally {
  rmSync(base, { recursive: true, force: true });
}
for (const what of skipped) console.log(`skipped: ${what}`);
if (failures.length > 0) {
  console.log(`\nfailed:\n${failures.map((line) => `  ${line}`).join('\n')}`);
  process.exit(1);
}
