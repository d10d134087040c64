// A MongoDB-protocol server for tests. Prints one line of JSON, then serves until its standard input ends:
//   {"server":"mongod 8.2","replicaSet":"mongodb://…","standalone":"mongodb://…"}   either address may be null
//   {"skip":"why there is none"}
// In this order: MONGODB_URI, `mongod` on PATH, SecantusDB (WiredTiger behind MongoDB's protocol, with transactions,
// validators and explain) installed once by pip into node_modules/.cache/alphaflops.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRequire } from 'node:module';
import { pipPackages } from './pip.mjs';

const SECANTUS = 'secantusdb==0.7.0b3';
const START_LIMIT_MS = 30_000;
const LIFE_LIMIT_MS = 30 * 60_000;

const root = join(import.meta.dirname, '..');
const { MongoClient } = createRequire(join(root, 'libs/store-mongo/package.json'))('mongodb');
const directory = mkdtempSync(join(tmpdir(), 'alphaflops-mongodb-'));
const children = [];

try {
  console.log(JSON.stringify(await found()));
} catch (error) {
  console.log(JSON.stringify({ skip: error.message }));
  await stop();
}
process.stdin.resume();
process.stdin.once('end', () => void stop());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop());
void delay(LIFE_LIMIT_MS, null, { ref: false }).then(stop);

async function found() {
  const { MONGODB_URI: uri } = process.env;
  if (uri !== undefined && uri !== '') {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: START_LIMIT_MS });
    const hello = await client.db('admin').command({ hello: 1 });
    await client.close();
    const isSet = hello.setName !== undefined || hello.msg === 'isdbgrid';
    return { server: 'MONGODB_URI', replicaSet: isSet ? uri : null, standalone: isSet ? null : uri };
  }
  const mongod = spawnSync('mongod', ['--version'], { encoding: 'utf8' });
  if (mongod.status === 0) {
    const start = (name, port, more) => [
      'mongod',
      ['--dbpath', folder(name), '--port', port, '--bind_ip', '127.0.0.1', ...more],
    ];
    const standalone = await serve((port) => start('standalone', port, []));
    const replicaSet = await serve((port) => start('set', port, ['--replSet', 'tests']), initiate);
    return { server: mongod.stdout.split('\n')[0], replicaSet, standalone };
  }
  const packages = secantus();
  const run = 'import sys; from secantus.cli import main; sys.exit(main())';
  const start = (name, port, more) => [
    'python3',
    [
      ...['-c', run, '--host', '127.0.0.1', '--port', port, '--storage-path', folder(name)],
      ...['--log-level', 'ERROR', ...more],
    ],
    { PYTHONPATH: packages },
  ];
  return {
    server: SECANTUS,
    replicaSet: await serve((port) => start('set', port, [])),
    standalone: await serve((port) => start('standalone', port, ['--standalone'])),
  };
}

function secantus() {
  try {
    return pipPackages(SECANTUS);
  } catch (error) {
    throw new Error(`no MONGODB_URI, no mongod on PATH, and ${error.message}`);
  }
}

function folder(name) {
  mkdirSync(join(directory, name));
  return join(directory, name);
}

/** Starts a server on a free port and gives its address when it answers. */
async function serve(start, prepare = async () => undefined) {
  const port = String(await freePort());
  const [program, args, more = {}] = start(port);
  const child = spawn(program, args, {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...more },
  });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (piece) => (errors = (errors + piece).slice(-2000)));
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${program} ended: ${errors.trim()}`);
  });
  ended.catch(() => undefined);
  const uri = `mongodb://127.0.0.1:${port}/`;
  const client = new MongoClient(`${uri}?directConnection=true`, {
    serverSelectionTimeoutMS: START_LIMIT_MS,
  });
  await Promise.race([ended, client.db('admin').command({ ping: 1 })]);
  await prepare(client, port);
  await client.close();
  return uri;
}

async function initiate(client, port) {
  const admin = client.db('admin');
  const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
  await admin.command({ replSetInitiate: { _id: 'tests', members } });
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await admin.command({ hello: 1 })).isWritablePrimary) {
    if (Date.now() > deadline) throw new Error('the replica set elects no primary');
    await delay(50);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function stop() {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}
