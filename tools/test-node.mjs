// `test-node.mjs VERSION… [PROJECT…]`: runs unit and contract tests, or the given projects, on other versions of Node
// from npm.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join, resolve } from 'node:path';
import { hasNode, installNode, nodeProgram } from './node-for-tests.mjs';

const root = resolve(import.meta.dirname, '..');
const isVersion = (argument) => /^\d+(\.\d+){0,2}$/.test(argument);
const versions = process.argv.slice(2).filter(isVersion);
const named = process.argv.slice(2).filter((argument) => !isVersion(argument));
const projects = named.length > 0 ? named : ['unit', 'contract'];
if (versions.length === 0 || projects.some((project) => !/^[a-z]/.test(project))) {
  console.error(
    'Give the versions of Node and optionally the projects, for example: npm run test:node -- 22 24 26 unit',
  );
  process.exit(2);
}

const failed = [];
for (const version of versions) {
  if (!hasNode(version)) installNode(version);
  const node = nodeProgram(version);
  console.log(`== ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  const { status } = spawnSync(node, [join(root, 'tools/test.mjs'), ...projects], {
    cwd: root,
    stdio: 'inherit',
    // Child processes that search PATH for Node find the same version.
    env: { ...process.env, PATH: [dirname(node), process.env.PATH ?? ''].join(delimiter) },
  });
  if (status !== 0) failed.push(version);
}
if (failed.length > 0) {
  console.log(`failed on Node ${failed.join(', ')}`);
  process.exit(1);
}
