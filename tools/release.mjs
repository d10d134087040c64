// Packs the published packages: `alphaflops` with all libraries bundled, and `@alphaflops/api-client`.
//   npm run release -- --dry-run [--out FOLDER]   packs both into dist/release and prints what would be published
//   npm run release publishes them
// Plain Node, on the build.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, out: { type: 'string' } } });
const isDryRun = values['dry-run'] ?? false;
const out = resolve(values.out ?? join(root, 'dist/release'));
const staged = join(out, 'alphaflops');
const SCOPE = '@alphaflops/';

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Every package of the workspace: its folder and its manifest. */
const rooms = ['apps', 'libs'].flatMap((kind) =>
  readdirSync(join(root, kind))
    .map((name) => join(root, kind, name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson(join(folder, 'package.json')) })),
);
const cli = rooms.find(({ manifest }) => manifest.name === 'alphaflops');
const libraries = rooms.filter(({ manifest }) => manifest.name.startsWith(SCOPE));

rmSync(staged, { recursive: true, force: true });
mkdirSync(staged, { recursive: true });
copyRoom(cli.folder, cli.manifest, staged);
for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md']) cpSync(join(root, file), join(staged, file));
cpSync(join(root, 'data/sample-h100'), join(staged, 'data/sample-h100'), { recursive: true });
for (const { folder, manifest } of libraries) {
  const to = join(staged, 'node_modules', manifest.name);
  copyRoom(folder, manifest, to);
  const isServed = manifest.name === `${SCOPE}dashboard`;
  writeJson(join(to, 'package.json'), published(isServed ? { ...manifest, dependencies: {} } : manifest));
}
const programs = ['coordinator', 'fitter', 'worker'];
for (const name of programs) {
  const file = join(staged, 'bin', `alphaflops-${name}.js`);
  writeFileSync(
    file,
    `#!/usr/bin/env node
import { mayOpenEnoughFiles } from './open-files.js';

if (mayOpenEnoughFiles()) await import('${SCOPE}${name}/main');
`,
    { mode: 0o755 },
  );
}
writeJson(join(staged, 'package.json'), {
  ...published(cli.manifest),
  engines: readJson(join(root, 'package.json')).engines,
  bin: {
    ...cli.manifest.bin,
    ...Object.fromEntries(programs.map((name) => [`alphaflops-${name}`, `bin/alphaflops-${name}.js`])),
  },
  files: ['bin', 'dist', 'data', 'CHANGELOG.md'],
  dependencies: {
    ...external(),
    ...Object.fromEntries(libraries.map(({ manifest }) => [manifest.name, manifest.version])),
  },
  bundleDependencies: libraries.map(({ manifest }) => manifest.name),
});

const client = join(root, 'libs/api-client');
for (const folder of [staged, client]) {
  const [packed] = JSON.parse(npm('pack', folder, '--json', '--pack-destination', out));
  console.log(
    `${packed.name} ${packed.version}: ${packed.filename}, ${(packed.size / 2 ** 20).toFixed(1)} MiB packed, ` +
      `${(packed.unpackedSize / 2 ** 20).toFixed(1)} MiB unpacked, ${packed.entryCount} files`,
  );
  if (!isDryRun) npm('publish', join(out, packed.filename), '--access', 'public');
}
rmSync(staged, { recursive: true });
console.log(isDryRun ? `Nothing was published. The packages are in ${out}.` : 'Published.');

/** Copies the files of a workspace package, without tests, test doubles, and files that only compilers need. */
function copyRoom(folder, { files = ['dist'] }, to) {
  for (const part of files.filter((name) => !name.startsWith('!'))) {
    if (!existsSync(join(folder, part)))
      throw new Error(`${join(folder, part)} is missing: run npm run build.`);
    cpSync(join(folder, part), join(to, part), {
      recursive: true,
      filter: (path) =>
        statSync(path).isDirectory() ||
        !/\.(spec(-helper|\.helper)?\.[^/]*|map|tsbuildinfo|d\.ts)$|\/(testing|fake-executor)\.js$/.test(
          path,
        ),
    });
  }
}

function published({
  name,
  version,
  description,
  license,
  type,
  exports,
  bin,
  dependencies,
  peerDependencies,
  peerDependenciesMeta,
}) {
  return {
    name,
    version,
    description,
    license,
    type,
    exports,
    bin,
    dependencies,
    peerDependencies,
    peerDependenciesMeta,
  };
}

/**
 * Returns the third-party packages that any room needs. The dashboard is served as files, which already contain its
 * packages.
 */
function external() {
  const ranges = {};
  for (const { manifest } of [cli, ...libraries]) {
    if (manifest.name === `${SCOPE}dashboard`) continue;
    for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
      if (name.startsWith(SCOPE)) continue;
      if ((ranges[name] ??= range) !== range) {
        throw new Error(
          `${manifest.name} requires ${name} ${range}, but another room requires ${ranges[name]}. Use the same range in both.`,
        );
      }
    }
  }
  return Object.fromEntries(Object.entries(ranges).sort(([a], [b]) => a.localeCompare(b)));
}

function npm(...args) {
  return execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function writeJson(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
