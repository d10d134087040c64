import { access, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { BundlePlatform, WorkerBundle, WorkerBundles } from '@alphaflops/enrolment';
import { archiveName, bundleId, packBundle, type PlatformParts, WORKER_FOLDER } from './pack-bundle.js';

/** Bundles from `npm run build:bundle`, next to the worker's JavaScript. */
export const BUILT_FOLDER = join(dirname(WORKER_FOLDER), 'bundles');

/** Finds built bundles. If the one for this platform is missing, makes it once, without the network. */
export class KeptBundles implements WorkerBundles {
  private readonly found = new Map<BundlePlatform, Promise<WorkerBundle | null>>();

  /** @param cache folder for the bundle that is made here */
  constructor(private readonly cache: string) {}

  find(platform: BundlePlatform): Promise<WorkerBundle | null> {
    let found = this.found.get(platform);
    if (found === undefined) {
      found = this.search(platform);
      this.found.set(platform, found);
      // A missing bundle may be built later, and a failed build may succeed at the next attempt.
      const forget = (): void => {
        this.found.delete(platform);
      };
      found.then((bundle) => {
        if (bundle === null) forget();
      }, forget);
    }
    return found;
  }

  private async search(platform: BundlePlatform): Promise<WorkerBundle | null> {
    const id = await bundleId();
    if (id === null) return null;
    for (const folder of [BUILT_FOLDER, this.cache]) {
      const file = join(folder, archiveName(id, platform));
      try {
        await access(file);
        return { file, id, sha256: (await readFile(`${file}.sha256`, 'utf8')).trim() };
      } catch {
        // It does not exist.
      }
    }
    const parts = ownParts();
    if (parts?.platform !== platform) return null;
    const bundle = await packBundle(id, parts, this.cache);
    await this.removeOthers(platform, bundle);
    return bundle;
  }

  /** Removes the bundles of older versions. */
  private async removeOthers(platform: BundlePlatform, { file }: WorkerBundle): Promise<void> {
    for (const name of await readdir(this.cache)) {
      const path = join(this.cache, name);
      const isOurs = name.startsWith('alphaflops-worker-') && name.includes(`-${platform}.tar.gz`);
      if (isOurs && !path.startsWith(file)) await rm(path, { recursive: true, force: true });
    }
  }
}

/** The parts from this machine: its own Node and its own koffi. Null if that Node cannot run on other machines. */
export function ownParts(): PlatformParts | null {
  const { platform, arch, execPath } = process;
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  // Some distributions put most of Node into a library, and some use another C library.
  const isPortable =
    header.glibcVersionRuntime !== undefined &&
    (process.config.variables as { node_shared?: boolean }).node_shared !== true;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64') || !isPortable) return null;
  const koffi = koffiRequire().resolve(`@koromix/koffi-linux-${arch}`);
  return { platform: `linux-${arch}`, node: execPath, koffi: dirname(koffi) };
}

/** Resolved like koffi does, because koffi is a dependency of the worker's adapters. */
export function koffiRequire(): NodeJS.Require {
  const packages = ['@alphaflops/worker', '@alphaflops/executor-cudnn', '@alphaflops/nvidia'];
  const nvidia = packages.reduce(
    (require, name) => createRequire(require.resolve(`${name}/package.json`)),
    createRequire(import.meta.url),
  );
  return createRequire(nvidia.resolve('koffi'));
}
