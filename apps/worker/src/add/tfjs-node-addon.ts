// The add-on of tfjs-node, linked with the libraries that a TensorFlow wheel brings along.
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const TFJS_NODE_VERSION = '4.22.0';

/** A requirement of the build is missing; the message names it. */
export class CannotBuild extends Error {}

/** The file names in a wheel, which the add-on also loads, and the names for the linker. */
const LIBRARIES = {
  'libtensorflow_cc.so.2': 'libtensorflow.so',
  'libtensorflow_framework.so.2': 'libtensorflow_framework.so',
};

/** Finds TensorFlow without importing it, because the build needs only its libraries. */
const FIND = `
import importlib.util
found = importlib.util.find_spec('tensorflow')
print(found.submodule_search_locations[0] if found else '')`;

export interface AddonRequest {
  /** Program of a Python that has `tensorflow`. */
  readonly python: string;
  readonly gpu: boolean;
  /** Folder of the npm package. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

/**
 * Installs the npm package in `folder` and builds its add-on against the TensorFlow of `python`. Returns TensorFlow's
 * version, as the finished add-on reports it.
 * @throws CannotBuild if a requirement is missing, Error if a step fails
 */
export function buildAddon({ python, gpu, folder, log }: AddonRequest): string {
  checkTools();
  const wheel = findTensorflow(python);
  log(`TensorFlow: ${wheel}`);
  const name = `@tensorflow/tfjs-node${gpu ? '-gpu' : ''}`;
  log(`installing ${name} ${TFJS_NODE_VERSION} in ${folder} …`);
  const home = installPackage(name, folder);
  linkLibraries(home, wheel);
  const headers = nodeHeaders();
  log(
    `compiling, with the headers of Node ${headers === null ? 'that node-gyp downloads' : `in ${headers}`} …`,
  );
  run(
    join(folder, 'node_modules/.bin/node-pre-gyp'),
    ['install', '--build-from-source', ...(headers === null ? [] : [`--nodedir=${headers}`])],
    { cwd: home },
  );
  const program = `console.log(require('${name}').backend().binding.TF_Version)`;
  return lastLine(run(process.execPath, ['-e', program], { cwd: folder }));
}

function checkTools(): void {
  if (process.platform !== 'linux')
    throw new CannotBuild('only the wheels for Linux contain the needed files');
  for (const program of ['make', 'c++']) {
    if (spawnSync(program, ['--version']).status !== 0) {
      throw new CannotBuild(`${program} is not installed (Debian, Ubuntu: apt-get install build-essential)`);
    }
  }
}

/** Folder of the Python package `tensorflow`. */
function findTensorflow(python: string): string {
  const found = spawnSync(python, ['-c', FIND], { encoding: 'utf8' });
  if (found.status !== 0) {
    throw new CannotBuild(`${python} does not run: ${found.error?.message ?? lastLine(found.stderr)}`);
  }
  const folder = found.stdout.trim();
  if (folder === '') {
    throw new CannotBuild(`${python} has no tensorflow: ${python} -m pip install 'tensorflow[and-cuda]'`);
  }
  for (const part of ['include/tensorflow/c/c_api.h', ...Object.keys(LIBRARIES)]) {
    if (!existsSync(join(folder, part))) throw new CannotBuild(`${join(folder, part)} is missing`);
  }
  return folder;
}

/** Does not run the install script, which would download another libtensorflow. */
function installPackage(name: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const packageName = `${name}@${TFJS_NODE_VERSION}`;
  try {
    run('npm', ['install', '--prefix', folder, ...quiet, packageName], { cwd: folder });
  } catch (error) {
    throw new CannotBuild(`npm cannot install ${packageName}: ${lastLine((error as Error).message)}`);
  }
  return join(folder, 'node_modules', name);
}

/** Makes the deps/ of the official download from links. */
function linkLibraries(home: string, wheel: string): void {
  const deps = join(home, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(join(wheel, 'include'), join(deps, 'include'));
  for (const [library, linkName] of Object.entries(LIBRARIES)) {
    symlinkSync(join(wheel, library), join(deps, 'lib', library));
    symlinkSync(library, join(deps, 'lib', linkName));
  }
  // TensorFlow searches for CUDA and cuDNN in ../nvidia/*/lib, relative to its own folder.
  const nvidia = join(dirname(wheel), 'nvidia');
  if (existsSync(nvidia)) symlinkSync(nvidia, join(deps, 'nvidia'));
}

/**
 * Node's headers: in the installation of this Node, or in the folder of npm's setting `nodedir`; null: node-gyp
 * downloads them.
 */
function nodeHeaders(): string | null {
  const configured = spawnSync('npm', ['config', 'get', 'nodedir'], { encoding: 'utf8' }).stdout.trim();
  const prefixes = [dirname(dirname(process.execPath)), configured, '/usr'];
  return (
    prefixes.find((prefix) => prefix !== '' && existsSync(join(prefix, 'include/node/node_api.h'))) ?? null
  );
}

/** Standard output of a program. If the program fails, throws an error with its whole output. */
export function run(
  program: string,
  args: readonly string[],
  options: Pick<SpawnSyncOptions, 'cwd'> = {},
): string {
  const done = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (done.status === 0) return done.stdout;
  const output = [done.error?.message, done.stdout, done.stderr].filter(Boolean).join('\n').trim();
  throw new Error(`${program} ${args.join(' ')} failed:\n${output}`);
}

export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
