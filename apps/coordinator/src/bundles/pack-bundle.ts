import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { VERSION } from '@alphaflops/contracts';
import type { BundlePlatform, WorkerBundle } from '@alphaflops/enrolment';
import { create } from 'tar';

/** The worker's JavaScript in one folder, as `nx bundle @alphaflops/worker` writes it. */
export const WORKER_FOLDER = join(
  dirname(createRequire(import.meta.url).resolve('@alphaflops/worker/package.json')),
  'bundle',
);

const LAUNCHER = `#!/bin/sh
# Starts the worker with the Node that comes with it, and with the libraries that "add cudnn" has put beside it.
here=\${0%/*}
for lib in "$here"/../../nvidia/*/lib; do
  [ ! -d "$lib" ] || LD_LIBRARY_PATH=\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$lib
done
[ -z "\${LD_LIBRARY_PATH:-}" ] || export LD_LIBRARY_PATH
exec "$here/node" "$here/app/dist/main.js" "$@"
`;

/** The parts of a bundle that depend on the platform. */
export interface PlatformParts {
  readonly platform: BundlePlatform;
  /** Node's program for that platform. */
  readonly node: string;
  /** Folder of the package @koromix/koffi-<platform>. */
  readonly koffi: string;
}

/**
 * Identifies the worker's JavaScript: a digest of its files. Null if it is not bundled yet. The files contain the versions
 * of the packages outside the bundle.
 */
export async function bundleId(): Promise<string | null> {
  let files: string[];
  try {
    files = await readdir(WORKER_FOLDER, { recursive: true });
  } catch {
    return null;
  }
  const hash = createHash('sha256');
  for (const file of files.filter((name) => /\.(m?js|json|wasm)$/.test(name)).sort()) {
    hash.update(`${file}\n`).update(await readFile(join(WORKER_FOLDER, file)));
  }
  return `${VERSION}-${hash.digest('hex').slice(0, 12)}`;
}

export function archiveName(id: string, platform: BundlePlatform): string {
  return `alphaflops-worker-${id}-${platform}.tar.gz`;
}

/** Packs a bundle into `folder`. An archive appears there complete or not at all. Its digest is in a file beside it. */
export async function packBundle(id: string, parts: PlatformParts, folder: string): Promise<WorkerBundle> {
  const { platform, node, koffi } = parts;
  await mkdir(folder, { recursive: true });
  const file = join(folder, archiveName(id, platform));
  const staged = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(staged);
    await cp(WORKER_FOLDER, join(staged, 'app'), { recursive: true });
    const native = join(staged, 'app/node_modules/@koromix', `koffi-${platform}`);
    // Node's own programs use glibc, so koffi's build for musl is not needed.
    await cp(koffi, native, { recursive: true, filter: (path) => !basename(path).startsWith('musl_') });
    await copyNode(node, join(staged, 'node'));
    await writeFile(join(staged, 'alphaflops-worker'), LAUNCHER, { mode: 0o755 });
    await writeFile(join(staged, 'bundle.json'), `${JSON.stringify({ id, version: VERSION, platform })}\n`);
    const part = `${staged}.tar.gz`;
    // The same content gives the same archive, so that several coordinators agree on its digest.
    await create({ file: part, cwd: staged, gzip: { level: 9 }, portable: true, mtime: new Date(0) }, [
      'node',
      'alphaflops-worker',
      'bundle.json',
      'app',
    ]);
    const sha256 = await digestOf(part);
    await writeFile(`${staged}.sha256`, sha256);
    await rename(`${staged}.sha256`, `${file}.sha256`);
    await rename(part, file);
    return { file, sha256, id };
  } finally {
    for (const rest of ['', '.tar.gz', '.sha256'])
      await rm(`${staged}${rest}`, { recursive: true, force: true });
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Programs that remove symbol tables. The one of binutils supports only its own platform. */
const STRIP_PROGRAMS = ['strip', 'llvm-strip', 'aarch64-linux-gnu-strip'];

/** Removes the symbol table if an installed program supports the platform. The size is then one sixth smaller. */
async function copyNode(from: string, to: string): Promise<void> {
  for (const program of STRIP_PROGRAMS) {
    try {
      await promisify(execFile)(program, ['--strip-unneeded', '-o', to, from], { timeout: 60_000 });
      await chmod(to, 0o755);
      return;
    } catch {
      // The program is not installed, or does not support the platform.
    }
  }
  await copyFile(from, to);
  await chmod(to, 0o755);
}
