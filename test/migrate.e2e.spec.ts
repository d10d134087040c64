import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fillStores } from '@alphaflops/store/conformance';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import { startMongoServer } from './support/mongodb.js';

const CLI = resolve(import.meta.dirname, '../apps/cli/bin/alphaflops.js');
const SAMPLES = 1_100;

const server = await startMongoServer();
afterAll(() => server.stop());

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command line. `watch` receives its progress output. */
async function alphaflops(args: string[], watch?: (err: string, kill: () => void) => void): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => {
    err += piece.toString();
    watch?.(err, () => child.kill('SIGKILL'));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

const migrate = (from: string, to: string, watch?: (err: string, kill: () => void) => void) =>
  alphaflops(['migrate', '--json', '--from', from, '--to', to], watch);

describe('alphaflops migrate', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-migrate-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  (server.skip === null ? it : it.skip)(
    `moves a deployment to MongoDB and back, and goes on after SIGKILL${server.skip === null ? '' : ` (skipped: ${server.skip})`}`,
    async () => {
      const [first, second] = ['first', 'second'].map((name) => `sqlite:${join(directory, name)}.sqlite`);
      if (first === undefined || second === undefined) throw new Error('two files were named');
      const stores = await openSqliteStores(first.slice('sqlite:'.length));
      await fillStores(stores, SAMPLES);
      await stores.close();

      const database = server.database();
      const killed = await migrate(first, database, (err, kill) => {
        if (err.includes('copied samples')) kill();
      });
      expect(killed.code).toBeNull();
      expect(killed.err).not.toContain('verified');

      const there = await migrate(first, database);
      expect(there).toMatchObject({ code: 0, err: expect.stringContaining('verified samples') });
      const summary = JSON.parse(there.out) as Record<string, { count: number; digest: string }>;
      expect(summary['samples']?.count).toBe(SAMPLES + 1);
      expect(summary['specs']?.count).toBe(SAMPLES);

      const back = await migrate(database, second);
      expect(back.code).toBe(0);
      expect(JSON.parse(back.out)).toEqual(summary);
    },
    120_000,
  );

  it('refuses a store in use and names its process, a missing file, and an empty deployment', async () => {
    const file = join(directory, 'used.sqlite');
    const target = `sqlite:${join(directory, 'target.sqlite')}`;
    const stores = await openSqliteStores(file);
    const used = await migrate(`sqlite:${file}`, target);
    expect(used).toMatchObject({ code: 1, err: expect.stringContaining(`in use by process ${process.pid}`) });
    await stores.close();

    const absent = await migrate(`sqlite:${join(directory, 'absent.sqlite')}`, target);
    expect(absent).toMatchObject({ code: 2, err: expect.stringContaining('There is no file') });
    const empty = await migrate(`sqlite:${file}`, target);
    expect(empty).toMatchObject({ code: 2, err: expect.stringContaining('no deployment') });
  });

  it('never repeats the password of an address', async () => {
    const file = join(directory, 'source.sqlite');
    const stores = await openSqliteStores(file);
    await fillStores(stores, 1);
    await stores.close();
    const unreachable = 'mongodb://zoe:hush@127.0.0.1:1/lab?serverSelectionTimeoutMS=200';
    for (const to of [unreachable, 'mongodb:/zoe:hush@db1/lab', 'mongodb://zoe:hu:sh@@db1:port/lab']) {
      const { code, out, err } = await migrate(`sqlite:${file}`, to);
      expect(code).toBeGreaterThan(0);
      expect(err).toContain('error:');
      expect(`${out}${err}`).not.toMatch(/hu:?sh/);
    }
  });
});
