#!/usr/bin/env node
// Runs the tests of the MongoDB store on FerretDB, a second server that shares no code with the first one: `npm run
// test:ferretdb`, on the build. Needs Go. FerretDB 1.24 is built once from its Go module into a cache outside the
// tree. It stores its data in SQLite. Without Go, skips the tests with the reason.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import getPort from 'get-port';
import { oneAtATime } from './one-at-a-time.mjs';

const MODULE = 'github.com/FerretDB/FerretDB';
const VERSION = 'v1.24.2';
const root = resolve(import.meta.dirname, '../..');
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'alphaflops');
const program = join(cache, `ferretdb-${VERSION}`);

if (spawnSync('go', ['version']).status !== 0) {
  console.log('skipped: the MongoDB store on FerretDB: Go is not installed\n0 passed, 0 failed, 1 skipped');
  process.exit(0);
}
if (!existsSync(program)) build();
process.exitCode = await test();

function build() {
  console.log(`building ${MODULE} ${VERSION} …`);
  const source = `${program}.source`;
  rmSync(source, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  const { Dir, Origin } = JSON.parse(go(['mod', 'download', '-json', `${MODULE}@${VERSION}`], cache));
  cpSync(Dir, source, { recursive: true });
  // Modules are read-only, and so are copies of them.
  const version = join(source, 'build/version');
  chmodSync(version, 0o755);
  // Files that the build of FerretDB writes from Git.
  for (const [name, text] of [
    ['version', VERSION],
    ['commit', Origin?.Hash ?? 'unknown'],
    ['branch', 'main'],
  ]) {
    writeFileSync(join(version, `${name}.txt`), `${text}\n`);
  }
  go(['build', '-trimpath', '-o', `${program}.part`, './cmd/ferretdb'], source);
  renameSync(`${program}.part`, program);
  spawnSync('chmod', ['-R', 'u+w', source]);
  rmSync(source, { recursive: true });
}

function go(args, cwd) {
  const { status, stdout, stderr, error } = spawnSync('go', args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`go ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** @returns the exit code of the tests */
async function test() {
  const directory = mkdtempSync(join(tmpdir(), 'alphaflops-ferretdb-'));
  const port = await getPort({ host: '127.0.0.1' });
  const ferretdb = spawn(
    program,
    [
      ...['--handler=sqlite', `--sqlite-url=file:${directory}/`, `--state-dir=${directory}`],
      ...[`--listen-addr=127.0.0.1:${port}`, '--debug-addr=-', '--telemetry=disable', '--log-level=error'],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const proxy = await oneAtATime(port);
  try {
    const jest = spawn(
      process.execPath,
      [
        join(root, 'node_modules/jest/bin/jest.js'),
        ...['--selectProjects=contract', '--runInBand', '--testPathPatterns=libs/store-mongo/src'],
        ...process.argv.slice(2),
      ],
      {
        cwd: root,
        stdio: 'inherit',
        env: {
          ...process.env,
          NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
          MONGODB_URI: `mongodb://127.0.0.1:${proxy.address().port}/`,
        },
      },
    );
    return (await once(jest, 'exit'))[0] ?? 1;
  } finally {
    proxy.close();
    const gone = once(ferretdb, 'exit');
    ferretdb.kill('SIGKILL');
    await gone;
    rmSync(directory, { recursive: true });
  }
}
