/**
 * `npm run build:bundle`: packs the worker for every platform. It takes Node and koffi for this platform from this
 * machine, and for the others from the npm packages of the platform.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE_PLATFORMS, type BundlePlatform } from '@alphaflops/enrolment';
import { x } from 'tar';
import { BUILT_FOLDER, koffiRequire, ownParts } from './kept-bundles.js';
import { bundleId, packBundle, type PlatformParts } from './pack-bundle.js';

/** The long-term support line of Node in the images. */
const NODE_LINE = '24';

const id = await bundleId();
if (id === null) throw new Error('The worker is not bundled yet: npm run build.');
rmSync(BUILT_FOLDER, { recursive: true, force: true });
const scratch = mkdtempSync(join(tmpdir(), 'alphaflops-bundle-'));
try {
  for (const platform of BUNDLE_PLATFORMS) {
    const own = ownParts();
    const parts = own?.platform === platform ? own : partsOf(platform);
    const { file, sha256 } = await packBundle(id, parts, BUILT_FOLDER);
    console.log(`${file}: ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB, sha256 ${sha256}`);
  }
} finally {
  rmSync(scratch, { recursive: true });
}

function partsOf(platform: BundlePlatform): PlatformParts {
  const { version } = koffiRequire()('koffi') as { version: string };
  return {
    platform,
    node: join(fetchPackage(`node-${platform}@${NODE_LINE}`), 'bin/node'),
    koffi: fetchPackage(`@koromix/koffi-${platform}@${version}`),
  };
}

/** Unpacks a package of the registry, without its dependencies. */
function fetchPackage(name: string): string {
  const folder = mkdtempSync(join(scratch, 'package-'));
  const output = execFileSync('npm', ['pack', name, '--json', '--pack-destination', folder], {
    encoding: 'utf8',
  });
  const [{ filename } = { filename: '' }] = JSON.parse(output) as { filename: string }[];
  x({ file: join(folder, filename), cwd: folder, sync: true });
  return join(folder, 'package');
}
