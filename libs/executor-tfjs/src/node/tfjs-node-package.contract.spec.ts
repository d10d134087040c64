/** The result of a probe if tfjs-node is missing or incomplete. The test has a fake incomplete package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeAll } from '@alphaflops/executor';

const folder = mkdtempSync(join(tmpdir(), 'alphaflops-tfjs-node-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** The result of a probe in a process of its own, as in the worker. */
async function reasonOf(settings: { folder: string }): Promise<string> {
  const [probed] = await probeAll([{ module: '@alphaflops/executor-tfjs', executor: 'tfjs-node', settings }]);
  if (probed?.result.ok !== false) throw new Error('there should be no tfjs-node');
  return probed.result.reason;
}

it('names the searched folders, and what to do', async () => {
  expect(await reasonOf({ folder })).toBe(
    `@tensorflow/tfjs-node is not installed in ${folder}: it is optional, and docs/tfjs-node.md says how to build ` +
      'it and name its folder by --tfjs-node',
  );
});

it('distinguishes a package without its add-on from a missing package', async () => {
  const home = join(folder, 'node_modules/@tensorflow/tfjs-node');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "name": "@tensorflow/tfjs-node", "main": "index.js" }');
  writeFileSync(
    join(home, 'index.js'),
    `const { TF_NUM_INTRAOP_THREADS: threads, CUDA_VISIBLE_DEVICES: gpus } = process.env;
    require('util').isNullOrUndefined(null);
    throw new Error('The add-on can not be found; ' + threads + ' threads, GPUs ' + gpus + '. \\nPlease run npm.');`,
  );
  expect(await reasonOf({ folder })).toBe(
    '@tensorflow/tfjs-node is installed, but its add-on cannot be loaded ' +
      '(The add-on can not be found; 1 threads, GPUs -1.): docs/tfjs-node.md says how to build it',
  );
});
