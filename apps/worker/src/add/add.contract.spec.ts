/** Additions from registries of this test: the extracted files, and the refusal of a wrong digest. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { addCudnn } from './cudnn.js';
import { addWebgpu } from './webgpu.js';

const files = new Map<string, Buffer>();
let server: Server;
let folder: string;
let base: string;

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const content = files.get(url);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'alphaflops-add-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const context = () => ({
  root: join(folder, 'root'),
  registries: { npm: `${base}/npm`, python: `${base}/simple` },
  python: join(folder, 'no-python'),
  fetch,
  print: () => undefined,
});
const digest = (content: Buffer, algorithm: string, encoding: 'hex' | 'base64') =>
  createHash(algorithm).update(content).digest(encoding);

describe('add webgpu', () => {
  const offer = (integrity?: string) => {
    const made = join(folder, 'made/package');
    for (const name of ['dist/linux-x64', 'dist/linux-arm64', 'dist/win32-x64', 'build']) {
      mkdirSync(join(made, name), { recursive: true });
      writeFileSync(join(made, name, 'dawn.node'), name);
    }
    for (const name of ['package.json', 'index.js', 'LICENSE.md']) writeFileSync(join(made, name), name);
    execFileSync('tar', ['-czf', join(folder, 'webgpu.tgz'), '-C', join(folder, 'made'), 'package']);
    const archive = readFileSync(join(folder, 'webgpu.tgz'));
    files.set('/webgpu.tgz', archive);
    const dist = {
      tarball: `${base}/webgpu.tgz`,
      integrity: integrity ?? `sha512-${digest(archive, 'sha512', 'base64')}`,
    };
    files.set('/npm/webgpu/0.6.2', Buffer.from(JSON.stringify({ dist })));
  };

  it('keeps the files of this platform, and replaces an older version', async () => {
    offer();
    await addWebgpu(context());
    await addWebgpu(context());
    const installed = join(folder, 'root/node_modules/webgpu');
    expect(readdirSync(join(folder, 'root/node_modules'))).toEqual(['webgpu']);
    expect(readdirSync(installed).sort()).toEqual(['LICENSE.md', 'dist', 'index.js', 'package.json']);
    expect(readdirSync(join(installed, 'dist'))).toEqual([`linux-${process.arch}`]);
  });

  it('refuses an archive with another digest', async () => {
    offer(`sha512-${Buffer.alloc(64).toString('base64')}`);
    await expect(addWebgpu(context())).rejects.toMatchObject({
      code: 'cannot-add',
      message: expect.stringMatching(/Cannot download .*webgpu\.tgz: its digest does not match/),
    });
    expect(readdirSync(join(folder, 'root/node_modules'))).toEqual([]);
  });
});

describe('add cudnn without Python', () => {
  const machine = process.arch === 'x64' ? 'x86_64' : 'aarch64';
  async function wheel(content: Record<string, string>): Promise<Buffer> {
    const zip = new ZipFile();
    for (const [name, text] of Object.entries(content)) zip.addBuffer(Buffer.from(text), name);
    zip.end();
    return await buffer(zip.outputStream);
  }
  async function offer(project: string, versions: readonly string[], library: string, wrongDigest = false) {
    const offered = await Promise.all(
      versions.map(async (version) => {
        const filename = `${project.replaceAll('-', '_')}-${version}-py3-none-manylinux_2_27_${machine}.whl`;
        const [, name = ''] = /^nvidia-(\w+)/.exec(project) ?? [];
        const archive = await wheel({
          [`nvidia/${name}/lib/${library}`]: version,
          [`nvidia/${name}/include/${name}.h`]: 'header',
          [`${project}.dist-info/METADATA`]: 'metadata',
        });
        files.set(`/files/${filename}`, archive);
        const sha256 = wrongDigest ? '0'.repeat(64) : digest(archive, 'sha256', 'hex');
        return { filename, url: `../../files/${filename}`, hashes: { sha256 } };
      }),
    );
    const other = { filename: `${project}-99.0.0-py3-none-win_amd64.whl`, url: 'x', hashes: {} };
    files.set(`/simple/${project}/`, Buffer.from(JSON.stringify({ files: [...offered, other] })));
  }

  it('takes the newest wheels of the right major version, and only their libraries', async () => {
    await offer('nvidia-cuda-runtime-cu12', ['12.9.2', '12.10.1'], 'libcudart.so.12');
    await offer('nvidia-cuda-nvrtc-cu12', ['12.9.1'], 'libnvrtc.so.12');
    await offer('nvidia-cublas-cu12', ['12.9.1', '13.0.0'], 'libcublasLt.so.12');
    await offer('nvidia-cudnn-cu12', ['8.9.7', '9.2.0', '9.10.0.56'], 'libcudnn.so.9');
    await addCudnn(context());
    const nvidia = join(folder, 'root/nvidia');
    const found = readdirSync(nvidia, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.name} ${readFileSync(join(entry.parentPath, entry.name), 'utf8')}`);
    expect(found.sort()).toEqual([
      'libcublasLt.so.12 12.9.1',
      'libcudart.so.12 12.10.1',
      'libcudnn.so.9 9.10.0.56',
      'libnvrtc.so.12 12.9.1',
    ]);
    expect(readdirSync(join(folder, 'root'))).toEqual(['nvidia']);
  });

  it('refuses a wheel with another digest, and reports a missing wheel', async () => {
    await offer('nvidia-cuda-runtime-cu12', ['12.9.2'], 'libcudart.so.12', true);
    await expect(addCudnn(context())).rejects.toThrow(/Cannot download .*whl: its digest does not match/);
    await offer('nvidia-cuda-runtime-cu12', ['13.0.0'], 'libcudart.so.13');
    await expect(addCudnn(context())).rejects.toThrow(/has no wheel of version 12 for linux-/);
    expect(readdirSync(join(folder, 'root'))).toEqual([]);
  });
});
