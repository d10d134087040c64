/** The published packages, used from an empty folder. `npm run test:packages` also installs them from the registry. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { until } from './support/stack.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const isThorough = process.env['ALPHAFLOPS_TEST_PACKAGES'] === 'true';

let folder: string;
let archives: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'alphaflops-packages-'));
  const { stdout } = await run(process.execPath, [
    join(root, 'tools/release.mjs'),
    '--dry-run',
    '--out',
    folder,
  ]);
  expect(stdout).toMatch(/^alphaflops \d[^]*@alphaflops\/api-client \d[^]*Nothing was published/);
  archives = (await readdir(folder)).filter((name) => name.endsWith('.tgz')).sort();
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const alphaflops = (...args: string[]) =>
  run(process.execPath, [join(folder, 'use/node_modules/alphaflops/bin/alphaflops.js'), ...args], {
    cwd: join(folder, 'use'),
    env: { PATH: process.env['PATH'], HOME: folder },
    maxBuffer: 1 << 26,
  });

it('are two, without tests, sources and maps', () => {
  expect(archives).toEqual([
    expect.stringMatching(/^alphaflops-\d/),
    expect.stringMatching(/^alphaflops-api-client-\d/),
  ]);
  for (const archive of archives) {
    const names = execFileSync('tar', ['-tzf', join(folder, archive)], { encoding: 'utf8' }).split('\n');
    expect(
      names.filter(
        (name) =>
          /\.spec\.|\.map$|tsbuildinfo|\/src\/|\/(testing|fake-executor)\.js$/.test(name) &&
          !name.includes('bundle/node_modules/koffi'),
      ),
    ).toEqual([]);
  }
});

/** The one of the checkout, then those of the packages that are bundled. */
async function foldersOfDependencies(): Promise<string[]> {
  const libs = (await readdir(join(root, 'libs'))).map((name) => `libs/${name}`);
  const apps = ['cli', 'coordinator', 'fitter', 'worker'].map((name) => `apps/${name}`);
  return ['.', ...libs, ...apps]
    .map((folder) => join(root, folder, 'node_modules'))
    .filter((folder) => existsSync(folder));
}

describe(
  isThorough ? 'installed from the registry' : 'with the packages of the checkout as what they depend on',
  () => {
    beforeAll(async () => {
      const use = join(folder, 'use');
      await mkdir(join(use, 'node_modules'), { recursive: true });
      await writeFile(join(use, 'package.json'), '{ "private": true }\n');
      if (isThorough) {
        await run(
          'npm',
          ['install', '--no-audit', '--no-fund', ...archives.map((name) => join(folder, name))],
          { cwd: use },
        );
        return;
      }
      for (const archive of archives.slice(0, 1)) {
        await mkdir(join(use, 'node_modules/alphaflops'));
        await run('tar', [
          '-xzf',
          join(folder, archive),
          '--strip-components=1',
          '-C',
          join(use, 'node_modules/alphaflops'),
        ]);
      }
      // A version that only some packages of the checkout need is beside them; it is the one that the bundled code needs.
      const own = /^(alphaflops|@alphaflops|\..*)$/;
      for (const place of await foldersOfDependencies()) {
        for (const name of (await readdir(place)).filter((name) => !own.test(name))) {
          await rm(join(use, 'node_modules', name), { force: true });
          await symlink(join(place, name), join(use, 'node_modules', name));
        }
      }
    }, 600_000);

    it('fit and predict on files', async () => {
      const sample = join(folder, 'use/node_modules/alphaflops/data/sample-h100/h100-networklike-1000.csv');
      await alphaflops('fit', '--data', sample, '--out', 'model.json', '--form', 'alpha');
      await alphaflops('predict', '--model', 'model.json', '--data', sample, '--out', 'predicted.csv');
      const [header, ...rows] = (await readFile(join(folder, 'use/predicted.csv'), 'utf8'))
        .trim()
        .split('\n');
      expect([header, rows.length]).toEqual([expect.stringContaining('predicted_ms'), 1000]);
    }, 120_000);

    it.each(['alphaflops', 'alphaflops-coordinator', 'alphaflops-fitter', 'alphaflops-worker'])(
      'say which limit of open files %s needs',
      async (name) => {
        const program = join(folder, 'use/node_modules/alphaflops/bin', `${name}.js`);
        const shell = ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, program, '--help'];
        await expect(run('/bin/sh', shell)).rejects.toMatchObject({
          code: 1,
          stderr: 'This process may open 64 files, which is too few: raise the limit (ulimit -n 1024).\n',
        });
      },
    );

    it('request kernels from cuDNN in a separate process, also if cuDNN is missing', async () => {
      const sample = join(folder, 'use/node_modules/alphaflops/data/sample-h100/h100-networklike-1000.csv');
      await writeFile(join(folder, 'use/device.json'), '{"deviceVer":900}');
      const asked = ['kernels', 'label', '--data', sample, '--device-properties', 'device.json'];
      const { stderr } = await alphaflops(...asked, '--out', 'labels.csv').catch(
        (error: unknown) => error as { stderr: string },
      );
      expect(stderr).toMatch(/cuDNN cannot be used: .*libcudnn|labelled by cuDNN/);
    }, 120_000);

    it('start coordinator, dashboard and worker, and serve the worker to nodes', async () => {
      const program = join(folder, 'use/node_modules/alphaflops/bin/alphaflops.js');
      const up = spawn(process.execPath, [program, 'up', '--port', '0', '--data-dir', 'data'], {
        cwd: join(folder, 'use'),
        env: { PATH: process.env['PATH'], HOME: folder },
      });
      let said = '';
      for (const stream of [up.stdout, up.stderr])
        stream.on('data', (piece: Buffer) => (said += piece.toString()));
      try {
        await until(
          () => Promise.resolve(said),
          (text) => text.includes('Ctrl-C stops it.') || up.exitCode !== null,
        );
        if (up.exitCode !== null) throw new Error(`up ended with ${up.exitCode}:\n${said}`);
        const { url } = JSON.parse(await readFile(join(folder, 'use/data/cli.json'), 'utf8')) as {
          url: string;
        };
        expect(await (await fetch(url)).text()).toContain('<title>alphaflops');
        expect(await (await fetch(`${url}/bundles/linux-x64.tar.gz.sha256`)).text()).toMatch(
          /^[0-9a-f]{64} {2}alphaflops-worker-/,
        );
        const { stdout } = await alphaflops('worker', 'list', '--data-dir', 'data');
        expect(stdout).toContain('online');
      } finally {
        if (up.exitCode === null) {
          up.kill('SIGTERM');
          await once(up, 'exit');
        }
      }
    }, 180_000);

    (isThorough ? it : it.skip)(
      'show the demo',
      async () => {
        const { stdout } = await run('npx', ['alphaflops', 'demo'], {
          cwd: join(folder, 'use'),
          maxBuffer: 1 << 26,
        });
        // On a machine with other load, no sample may be valid, and the demo reports this instead.
        expect(stdout).toMatch(/One prediction, from the API|too few good samples/);
        expect(stdout).toContain('The demo has stopped its programs');
      },
      600_000,
    );
  },
);
