import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { VERSION } from '@alphaflops/contracts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');

interface Package {
  name: string;
  version: string;
  nx?: { tags?: string[] };
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

async function packages(): Promise<(Package & { folder: string })[]> {
  const found: (Package & { folder: string })[] = [];
  for (const kind of ['apps', 'libs']) {
    for (const name of await readdir(join(root, kind))) {
      const folder = join(kind, name);
      const text = await readFile(join(root, folder, 'package.json'), 'utf8').catch(() => null);
      if (text !== null) found.push({ folder, ...(JSON.parse(text) as Package) });
    }
  }
  return found;
}

describe('the workspace', () => {
  it('has one version', async () => {
    for (const { name, version } of await packages()) expect([name, version]).toEqual([name, VERSION]);
  });

  it('tags every package, and references exactly the packages it depends on', async () => {
    const all = await packages();
    expect(all.length).toBeGreaterThan(15);
    for (const { folder, nx, dependencies = {}, devDependencies = {} } of all) {
      expect([folder, nx?.tags?.some((tag) => tag.startsWith('type:'))]).toEqual([folder, true]);
      const config = JSON.parse(await readFile(join(root, folder, 'tsconfig.json'), 'utf8')) as {
        references?: { path: string }[];
      };
      const referenced = (config.references ?? []).map(({ path }) => path.split('/').at(-1));
      // A package that only the tests use is a development dependency.
      const needed = Object.keys({ ...dependencies, ...devDependencies })
        .filter((name) => name.startsWith('@alphaflops/'))
        .map((name) => name.slice('@alphaflops/'.length))
        // An app that another one starts or serves is a dependency, but nothing of it is imported. The command line imports
        // the definitions of the worker's commands.
        .filter((name) => !['coordinator', 'dashboard'].includes(name))
        .filter((name) => name !== 'worker' || folder === 'apps/cli');
      expect([folder, ...referenced.sort()]).toEqual([folder, ...needed.sort()]);
    }
  });

  it('has an API description and a client that match the code', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'alphaflops-openapi-'));
    const written = join(directory, 'openapi.json');
    const client = join(directory, 'schema.ts');
    await run('node', [join(root, 'apps/coordinator/dist/write-openapi.js'), written]);
    await run('npx', ['openapi-typescript', written, '--default-non-nullable=false', '-o', client], {
      cwd: root,
    });
    expect(await readFile(written, 'utf8')).toBe(await readFile(join(root, 'openapi.json'), 'utf8'));
    expect(await readFile(client, 'utf8')).toBe(
      await readFile(join(root, 'libs/api-client/src/generated/schema.ts'), 'utf8'),
    );
    await rm(directory, { recursive: true });
  }, 60_000);
});

describe('module boundaries', () => {
  const FORBIDDEN = [
    ['a pure lib may not import a port', 'libs/models', "import '@alphaflops/store';", 'type:pure'],
    [
      'conv imports the elementary functions only',
      'libs/conv',
      "import '@alphaflops/least-squares';",
      'scope:conv',
    ],
    [
      'a document needs the same power everywhere',
      'libs/planning',
      'export default (x: number) => x ** 0.5;',
      'pow',
    ],
    [
      'a document needs the same logarithm everywhere',
      'libs/report',
      'export const { log } = Math;',
      'elementary',
    ],
    [
      'adapters do not know each other',
      'libs/store-sqlite',
      "import '@alphaflops/executor-tfjs';",
      'type:adapter',
    ],
    ['a feature may not import a database', 'libs/campaigns', "import 'libsql';", 'libsql'],
    ['only the queue knows BullMQ', 'libs/enrolment', "import 'bullmq';", 'bullmq'],
    [
      'the dashboard knows the API, not what is behind it',
      'apps/dashboard',
      "import '@alphaflops/store';",
      'scope:dashboard',
    ],
    [
      'a lib may not import an app',
      'libs/queue',
      "import '../../../apps/coordinator/src/main.js';",
      'npm scope',
    ],
    ['only config reads the environment', 'libs/store', 'export default process.env;', 'libs/config'],
  ] as const;
  const fileOf = (folder: string) => join(root, folder, 'src/forbidden-by-test.ts');
  let messages: Map<string, string>;

  // One run of the linter over files that exist only for its length.
  beforeAll(async () => {
    for (const [, folder, code] of FORBIDDEN) await writeFile(fileOf(folder), `${code}\n`);
    try {
      const paths = FORBIDDEN.map(([, folder]) => fileOf(folder));
      const failure = await run('npx', ['eslint', '--format', 'json', ...paths], { cwd: root }).then(
        () => ({ stdout: '[]' }),
        (error: unknown) => error as { stdout: string },
      );
      const reports = JSON.parse(failure.stdout) as { filePath: string; messages: { message: string }[] }[];
      messages = new Map(
        reports.map(({ filePath, messages: found }) => [filePath, found.map((m) => m.message).join('\n')]),
      );
    } finally {
      for (const [, folder] of FORBIDDEN) await rm(fileOf(folder));
    }
  }, 120_000);

  it.each(FORBIDDEN)('%s', (_rule, folder, _code, named) => {
    expect(messages.get(fileOf(folder))).toContain(named);
  });
});
