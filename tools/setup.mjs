// Sets up a fresh checkout: packages, Redis, build. --tests also installs what only tests need. --no-build skips the
// build, for a checkout that already has one. It uses only Node, because it runs before any package is installed. It
// prints nothing if there is nothing to do, and says what to do after a failure.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { hasNode, installNode } from './node-for-tests.mjs';
import { hasPythonForTests, installPythonForTests } from './python-for-tests.mjs';
import { hasUnpackedRedis, unpackRedis } from './redis-without-root.mjs';
import { hasSwiftShader, installSwiftShader, unpackVulkanLoader } from './swiftshader.mjs';

const root = resolve(import.meta.dirname, '..');
const OLDEST_NODE = [20, 19];

class SetupError extends Error {}

/** Runs a program. Prints its output only when it fails. */
function run(program, args, { env = {}, hint = '' } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  throw new SetupError(
    `${program} ${args.join(' ')} failed${error ? ` (${error.message})` : ''}. ${hint}`.trim(),
  );
}

/** Runs a step and prints one line with its time. */
function step(what, act) {
  const start = performance.now();
  process.stdout.write(`${what} … `);
  act();
  process.stdout.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (isOld) {
    throw new SetupError(
      `Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node}.`,
    );
  }
}

function installPackages() {
  const installed = join(root, 'node_modules/.package-lock.json');
  const isCurrent =
    existsSync(installed) &&
    ['package.json', 'package-lock.json'].every(
      (file) => statSync(join(root, file)).mtimeMs <= statSync(installed).mtimeMs,
    );
  if (isCurrent) return;
  step('installing packages', () => {
    run('npm', ['install', '--no-audit', '--no-fund'], { hint: 'Is the package registry reachable?' });
  });
}

const isRoot = process.getuid?.() === 0;

function mayInstall() {
  const mayBecomeRoot = () => isRoot || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  return isOnPath('apt-get') && mayBecomeRoot();
}

function install(debianPackage, advice) {
  const apt = (...args) => {
    // RUNLEVEL=1: a package must not start its own service. alphaflops starts a private server when it needs one.
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-q', '-y', ...args];
    run(isRoot ? command[0] : 'sudo', isRoot ? command.slice(1) : ['-n', ...command], { hint: advice });
  };
  apt('update');
  apt('install', '--no-install-recommends', debianPackage);
}

function installRedis() {
  if (process.env.REDIS_URL || isOnPath('redis-server') || hasUnpackedRedis()) return;
  const advice =
    'Install Redis (Debian, Ubuntu: apt-get install redis-server), or set REDIS_URL to a running Redis.';
  if (mayInstall()) {
    step('installing redis-server', () => {
      install('redis-server', advice);
    });
    return;
  }
  if (!isOnPath('apt-get')) throw new SetupError(advice);
  step('unpacking redis-server into node_modules/.cache, as it cannot be installed', () => {
    try {
      unpackRedis();
    } catch (error) {
      throw new SetupError(`${error.message}\n${advice}`);
    }
  });
}

/** WebGPU without a GPU. Where it cannot be had, the tests that need it are skipped and say why. */
function installSoftwareVulkan() {
  if (hasSwiftShader() || !isOnPath('apt-get')) return;
  step('installing a Vulkan driver for tests', () => {
    try {
      if (mayInstall()) install('libvulkan1', '');
      else unpackVulkanLoader();
      installSwiftShader();
    } catch (error) {
      process.stdout.write(`failed, and the tests of WebGPU will be skipped: ${error.message} `);
    }
  });
}

/** DuckDB reads exported data sets, ONNX runs random networks. Where one cannot be had, its test is skipped and says so. */
function installPython() {
  for (const name of ['duckdb', 'onnx'].filter((each) => !hasPythonForTests(each))) {
    step(`installing ${name} of Python for tests`, () => {
      try {
        installPythonForTests(name);
      } catch (error) {
        process.stdout.write(`failed, and its test will be skipped: ${error.message} `);
      }
    });
  }
}

/** Fits must be the same on all of these. Where one cannot be had, its test is skipped and says so. */
function installNodeVersions() {
  const absent = [20, 22, 24, 26].filter((major) => !hasNode(major));
  if (absent.length === 0) return;
  step(`installing Node ${absent.join(', ')} for tests`, () => {
    try {
      absent.forEach(installNode);
    } catch (error) {
      process.stdout.write(`failed, and their tests will be skipped: ${error.message} `);
    }
  });
}

function build() {
  step('building', () => {
    run('npx', ['--no-install', 'nx', 'run-many', '-t', 'build', 'bundle', '--output-style=static'], {
      env: { NX_DAEMON: 'false', NX_TUI: 'false' },
    });
  });
}

try {
  checkNode();
  installPackages();
  installRedis();
  if (process.argv.includes('--tests')) {
    installSoftwareVulkan();
    installPython();
    installNodeVersions();
  }
  if (!process.argv.includes('--no-build')) build();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`\n${error.message}\n`);
  process.exit(1);
}
