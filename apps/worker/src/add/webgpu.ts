import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { AddContext } from './context.js';
import { download, fetchJson } from './download.js';

/** The version that executor tfjs-webgpu is tested with. */
const VERSION = '0.6.2';

const ManifestSchema = z.object({
  dist: z.object({ tarball: z.url(), integrity: z.string().startsWith('sha512-') }),
});

/** Dawn, the WebGPU of Chromium, as the npm package `webgpu`: 132 MB, of which only the files of one platform are kept. */
export async function addWebgpu({ root, registries, fetch, print }: AddContext): Promise<void> {
  print(`Getting webgpu ${VERSION} from ${new URL(registries.npm).host} (MIT licence; about 50 MB)\n`);
  const manifest = await fetchJson(`${registries.npm}/webgpu/${VERSION}`, 'application/json', fetch);
  const { tarball, integrity } = ManifestSchema.parse(manifest).dist;
  const packages = join(root, 'node_modules');
  await mkdir(packages, { recursive: true });
  const scratch = await mkdtemp(join(packages, '.webgpu-'));
  try {
    const archive = join(scratch, 'webgpu.tgz');
    const value = integrity.slice('sha512-'.length);
    await download(tarball, archive, { algorithm: 'sha512', encoding: 'base64', value }, fetch);
    const members = ['package.json', 'index.js', 'LICENSE.md', `dist/linux-${process.arch}`].map(
      (path) => `package/${path}`,
    );
    await promisify(execFile)('tar', ['-xzf', archive, '-C', scratch, ...members]);
    await rm(join(packages, 'webgpu'), { recursive: true, force: true });
    await rename(join(scratch, 'package'), join(packages, 'webgpu'));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  print('Executor tfjs-webgpu can be used now, if the Vulkan loader and a driver are installed.\n');
}
