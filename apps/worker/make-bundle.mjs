// Puts the worker's JavaScript into one folder that needs no node_modules but native code and WebAssembly, which the
// coordinator packs beside it: bundle/, from the build in dist. Run by Nx: nx bundle @alphaflops/worker.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const room = import.meta.dirname;
const out = join(room, 'bundle');
const require = createRequire(import.meta.url);
const program = (name, file) => join(dirname(fileURLToPath(import.meta.resolve(name))), file);

/** Adapters that `adapter-module` imports by name: a bundle holds what it names itself. Others have a file URL. */
const ADAPTERS = ['@alphaflops/executor-tfjs', '@alphaflops/executor-cudnn', '@alphaflops/executor-process'];
const BY_NAME = 'await import(module)';

const staticAdapters = {
  name: 'static-adapters',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /executor[/\\]dist[/\\]adapter-module\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes(BY_NAME))
        throw new Error(`${path} no longer says ${BY_NAME}: adapt ${import.meta.filename}.`);
      const map = ADAPTERS.map(
        (name) => `${JSON.stringify(name)}: () => import(${JSON.stringify(name)})`,
      ).join(', ');
      return {
        contents: source.replace(BY_NAME, `await (({ ${map} })[module] ?? (() => import(module)))()`),
      };
    });
    // The port that holds the loader may not depend on adapters; the worker does.
    onResolve({ filter: /^@alphaflops\// }, ({ path }) => ({
      path: fileURLToPath(import.meta.resolve(path)),
    }));
  },
};

rmSync(out, { recursive: true, force: true });
const { warnings } = await build({
  entryPoints: {
    main: join(room, 'dist/main.js'),
    'child-main': program('@alphaflops/executor', 'child-main.js'),
    'parent-watch': program('@alphaflops/executor', 'parent-watch.js'),
    guard: program('@alphaflops/executor-process', 'guard.js'),
    'label-main': program('@alphaflops/executor-cudnn', 'label-main.js'),
  },
  // Programs find each other by ../dist/NAME.js.
  outdir: join(out, 'dist'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  minifySyntax: true,
  minifyWhitespace: true,
  // Names of classes are part of what is measured by WebGPU.
  keepNames: true,
  legalComments: 'linked',
  external: ['koffi', 'webgpu'],
  plugins: [staticAdapters],
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
    ].join('\n'),
  },
  logLevel: 'warning',
});
if (warnings.length > 0) process.exitCode = 1;

// What stays outside of the bundle's JavaScript, as far as it is the same on all platforms.
const nvidia = createRequire(import.meta.resolve('@alphaflops/nvidia/package.json'));
const tfjs = createRequire(import.meta.resolve('@alphaflops/executor-tfjs/package.json'));
copyPackage('koffi', dirname(nvidia.resolve('koffi')), (file) =>
  /^(package\.json|index\.js|LICENSE.*|src\/koffi\/.*\.js)$/.test(file),
);
copyPackage('@tensorflow/tfjs-backend-wasm', folderOf(tfjs, '@tensorflow/tfjs-backend-wasm'), (file) =>
  /^(package\.json|wasm-out\/tfjs-backend-wasm(-simd)?\.wasm)$/.test(file),
);
for (const name of ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu']) {
  copyPackage(name, folderOf(tfjs, name), (file) => file === 'package.json');
}
const { version } = require('./package.json');
writeFileSync(join(out, 'package.json'), `${JSON.stringify({ version, type: 'module' })}\n`);

function folderOf(resolver, name) {
  return dirname(resolver.resolve(`${name}/package.json`));
}

function copyPackage(name, from, isWanted) {
  const to = join(out, 'node_modules', name);
  for (const file of readdirSync(from, { recursive: true }).filter(isWanted)) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(from, file), join(to, file));
  }
}
