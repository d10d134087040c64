// `test-node.mjs VERSION…`: unit and contract tests on other versions of Node, each out of npm's package `node`, installed
// once into node_modules/.cache/alphaflops.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const versions = process.argv.slice(2);
if (versions.length === 0 || versions.some((version) => !/^\d+(\.\d+){0,2}$/.test(version))) {
  console.error('Name versions: npm run test:node -- 22 24 26');
  process.exit(2);
}

/** Folder with the program `node`. @throws Error when npm cannot install it */
function folderOf(version) {
  const home = join(root, 'node_modules/.cache/alphaflops', `node-${version}`);
  const folder = join(home, 'node_modules/node/bin');
  if (existsSync(join(folder, 'node'))) return folder;
  mkdirSync(home, { recursive: true });
  // Its own install script fetches the program of this platform.
  const args = ['install', '--prefix', home, '--no-audit', '--no-fund', '--no-save', `node@${version}`];
  const { status, stderr } = spawnSync('npm', args, { cwd: home, encoding: 'utf8' });
  if (status !== 0) throw new Error(`node@${version} cannot be installed: ${stderr.trim()}`);
  return folder;
}

let failed = [];
for (const version of versions) {
  const folder = folderOf(version);
  const node = join(folder, 'node');
  console.log(`== ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  const { status } = spawnSync(node, [join(root, 'tools/test.mjs'), 'unit', 'contract'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: [folder, process.env.PATH ?? ''].join(delimiter) },
  });
  if (status !== 0) failed = [...failed, version];
}
if (failed.length > 0) {
  console.log(`failed on Node ${failed.join(', ')}`);
  process.exit(1);
}
