import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const run = promisify(execFile);

describe('the client as a package', () => {
  let project: string;
  let files: string[];

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'alphaflops-client-'));
    const pack = ['pack', '--json', '--pack-destination', project];
    const { stdout } = await run('npm', pack, { cwd: join(root, 'libs/api-client') });
    const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    files = packed?.files.map(({ path }) => path) ?? [];
    await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }));
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${packed?.filename ?? ''}`];
    await run('npm', install, { cwd: project });
  }, 120_000);
  afterAll(() => rm(project, { recursive: true }));

  it('contains exactly the files that it needs', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/generated/schema.d.ts',
      ]),
    );
    expect(files.filter((path) => /\.(map|tsbuildinfo)$|spec|^src/.test(path))).toEqual([]);
  });

  it('compiles the example of its README in an empty strict project, where a wrong path is an error', async () => {
    const [, example = ''] = /```ts\n([^]*?)```/.exec(await readFile(join(root, 'libs/api-client/README.md'), 'utf8')) ?? []; // prettier-ignore
    await writeFile(join(project, 'example.ts'), example);
    const wrong = `import { createApiClient } from '@alphaflops/api-client';
      const api = createApiClient({ url: 'http://127.0.0.1' });
      // @ts-expect-error the path does not exist
      await api.GET('/v1/predictoins');`;
    await writeFile(join(project, 'wrong.ts'), wrong);
    const compilerOptions = { strict: true, noEmit: true, target: 'es2023', lib: ['es2023', 'dom'], module: 'nodenext', types: [] }; // prettier-ignore
    const files = ['example.ts', 'wrong.ts'];
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect((await run(process.execPath, [tsc], { cwd: project })).stdout).toBe('');
  }, 120_000);

  it('runs in that project', async () => {
    const server = createServer((_request, response) => {
      const problem = { status: 404, code: 'not-found', detail: 'There is no such model.' };
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const code = `
        import { createApiClient } from '@alphaflops/api-client';
        import { trustingFetch } from '@alphaflops/api-client/trusting-fetch';
        for (const fetch of [globalThis.fetch, trustingFetch({})]) {
          const api = createApiClient({ url: '${url}', token: 't', fetch });
          await api.GET('/v1/models/{id}', { params: { path: { id: 'x' } } }).catch(({ name, status, code }) => console.log(name, status, code));
        }`;
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], {
        cwd: project,
      });
      expect(stdout).toBe('ApiError 404 not-found\nApiError 404 not-found\n');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }, 60_000);
});
