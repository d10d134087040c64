// A MongoDB-protocol server for tests. Prints one line of JSON, then serves until its standard input ends:
//   {"server":"mongod 8.2","replicaSet":"mongodb://…","standalone":"mongodb://…"}   either address may be null
//   {"skip":"why no server is available"}
//   {"error":"why MONGODB_URI cannot be used"}: an explicitly requested server is never skipped
// In this order: MONGODB_URI, `mongod` on PATH, SecantusDB (WiredTiger behind MongoDB's protocol, with transactions,
// validators and explain) installed once by pip into node_modules/.cache/alphaflops.
//
// A server of our own can be made to fail. A line of standard input says which and how, one of standard output that it is
// over, as {"running":true} or {"error":"why not"}: {"server":"replicaSet","kill":2000} kills it, and starts it again on its files after 2 s;
// {"server":"standalone","stop":20000} stops it (SIGSTOP) for 20 s. What was confirmed before must be there then, for
// which --durable makes SecantusDB sync every commit.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createRequire } from 'node:module';
import getPort from 'get-port';
import { pipPackages } from './pip.mjs';

const SECANTUS = 'secantusdb==0.7.0b3';
const START_LIMIT_MS = 90_000;
const GIVEN_LIMIT_MS = 10_000;
const LIFE_LIMIT_MS = 30 * 60_000;

const root = join(import.meta.dirname, '..');
const { MongoClient } = createRequire(join(root, 'libs/store-mongo/package.json'))('mongodb');
const directory = mkdtempSync(join(tmpdir(), 'alphaflops-mongodb-'));
/** The servers by type, replicaSet and standalone. */
const servers = new Map();
const durable = process.argv.includes('--durable') ? ['--sync-on-commit'] : [];

class GivenServerError extends Error {}

async function found() {
  const { MONGODB_URI: uri } = process.env;
  if (uri !== undefined && uri !== '') {
    const hello = await helloOf(uri);
    const isSet = hello.setName !== undefined || hello.msg === 'isdbgrid';
    return { server: 'MONGODB_URI', replicaSet: isSet ? uri : null, standalone: isSet ? null : uri };
  }
  const mongod = spawnSync('mongod', ['--version'], { encoding: 'utf8' });
  if (mongod.status === 0) {
    const start = (more) => (port, folder) => [
      'mongod',
      ['--dbpath', folder, '--port', port, '--bind_ip', '127.0.0.1', ...more],
    ];
    return {
      server: mongod.stdout.split('\n')[0],
      replicaSet: await Server.serve('replicaSet', start(['--replSet', 'tests']), initiate),
      standalone: await Server.serve('standalone', start([])),
    };
  }
  const packages = secantus();
  const run = 'import sys; from secantus.cli import main; sys.exit(main())';
  const start = (more) => (port, folder) => [
    'python3',
    [
      ...['-c', run, '--host', '127.0.0.1', '--port', port, '--storage-path', folder],
      ...['--log-level', 'ERROR', ...durable, ...more],
    ],
    { PYTHONPATH: packages },
  ];
  return {
    server: SECANTUS,
    replicaSet: await Server.serve('replicaSet', start([])),
    standalone: await Server.serve('standalone', start(['--standalone'])),
  };
}

/** @throws GivenServerError within 10 s */
async function helloOf(uri) {
  let client;
  try {
    client = new MongoClient(uri, {
      serverSelectionTimeoutMS: GIVEN_LIMIT_MS,
      connectTimeoutMS: GIVEN_LIMIT_MS,
      socketTimeoutMS: GIVEN_LIMIT_MS,
    });
    return await client.db('admin').command({ hello: 1 });
  } catch (error) {
    throw new GivenServerError(`MONGODB_URI is set, and its server cannot be used: ${error.message}`);
  } finally {
    await client?.close();
  }
}

function secantus() {
  try {
    return pipPackages(SECANTUS);
  } catch (error) {
    throw new Error(`no MONGODB_URI, no mongod on PATH, and ${error.message}`);
  }
}

/** A server on files and a port of its own. */
class Server {
  #child = null;
  #start;

  /** @returns the server, as soon as it answers */
  static async serve(name, start, prepare = async () => undefined) {
    const folder = join(directory, name);
    mkdirSync(folder);
    const port = String(await getPort({ host: '127.0.0.1' }));
    const server = new Server();
    server.#start = start(port, folder);
    server.uri = `mongodb://127.0.0.1:${port}/`;
    servers.set(name, server);
    await server.run((client) => prepare(client, port));
    return server.uri;
  }

  async run(prepare = async () => undefined) {
    const [program, args, more = {}] = this.#start;
    const child = spawn(program, args, {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...more },
    });
    this.#child = child;
    let errors = '';
    child.stderr.on('data', (piece) => (errors = (errors + piece).slice(-2000)));
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${program} ended: ${errors.trim()}`);
    });
    ended.catch(() => undefined);
    const client = new MongoClient(`${this.uri}?directConnection=true`, {
      serverSelectionTimeoutMS: START_LIMIT_MS,
    });
    try {
      await Promise.race([ended, client.db('admin').command({ ping: 1 })]);
      await prepare(client);
    } finally {
      await client.close();
    }
  }

  async kill(awayMs) {
    await this.end();
    await delay(awayMs);
    await this.run();
  }

  async halt(ms) {
    this.#child.kill('SIGSTOP');
    await delay(ms);
    this.#child.kill('SIGCONT');
  }

  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
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

async function stop() {
  await Promise.all([...servers.values()].map((server) => server.end()));
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}

try {
  console.log(JSON.stringify(await found()));
} catch (error) {
  const isGiven = error instanceof GivenServerError;
  console.log(JSON.stringify(isGiven ? { error: error.message } : { skip: error.message }));
  await stop();
}
const input = createInterface(process.stdin);
input.on('line', (line) => {
  const { server, kill, stop: halt } = JSON.parse(line);
  const done = kill === undefined ? servers.get(server).halt(halt) : servers.get(server).kill(kill);
  void done.then(
    () => console.log(JSON.stringify({ running: true })),
    (error) => console.log(JSON.stringify({ error: error.message })),
  );
});
input.once('close', () => void stop());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stop());
void delay(LIFE_LIMIT_MS, null, { ref: false }).then(stop);
