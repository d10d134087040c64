import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  buildBatch,
  buildModelDraft,
  buildProvenance,
  buildSpec,
  buildToken,
  collect,
} from '@alphaflops/store/conformance';
import type { Stores } from '@alphaflops/store';
import Database from 'libsql';
import { Connection } from './connection.js';
import { openSqliteStores } from './index.js';
import { migrate } from './migrate.js';
import { MIGRATIONS } from './schema.js';
import { SqliteCampaignStore } from './sqlite-campaign-store.js';
import { SqliteModelStore } from './sqlite-model-store.js';
import { SqliteSampleStore } from './sqlite-sample-store.js';

const provenance = buildProvenance();
const PROVENANCE = new Map([[provenance.id, provenance.record]]);

describe('openSqliteStores', () => {
  let directory: string;
  let file: string;
  const opened: Stores[] = [];
  const open = async (path = file) => {
    const stores = await openSqliteStores(path);
    opened.push(stores);
    return stores;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'store-sqlite-open-'));
    file = join(directory, 'data.sqlite');
  });
  afterEach(async () => {
    for (const stores of opened.splice(0)) await stores.close();
    rmSync(directory, { recursive: true });
  });

  it('waits for the lock of another program without blocking other calls', async () => {
    const stores = await open();
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    const events: string[] = [];
    const written = stores.ping().then(() => events.push('written'));
    expect(await stores.campaigns.get('none')).toBeNull();
    events.push('read');
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    events.push('unlocked');
    other.exec('ROLLBACK');
    other.close();
    await written;
    expect(events).toEqual(['read', 'unlocked', 'written']);
  });

  it('creates directory and files that only the owner can access', async () => {
    const nested = join(directory, 'a', 'b', 'data.sqlite');
    const stores = await open(nested);
    await stores.access.putToken(buildToken());
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(mode(join(directory, 'a'))).toBe('700');
    expect(mode(join(directory, 'a', 'b'))).toBe('700');
    for (const suffix of ['', '-wal', '-shm', '.lock', '.lock.pid']) {
      expect(`${suffix} ${mode(nested + suffix)}`).toBe(`${suffix} 600`);
    }
  });

  it('keeps everything after closing and opening again', async () => {
    const batch = buildBatch(10);
    const first = await open();
    await first.samples.record(batch, PROVENANCE);
    await first.close();
    await first.close();
    const second = await open();
    expect(await collect(second.samples.stream({}))).toHaveLength(10);
    expect((await second.samples.counts('campaign-a')).ok).toBe(10);
  });

  it('rejects calls after it is closed, also in the middle of a stream', async () => {
    const stores = await open();
    await stores.samples.record(buildBatch(500), PROVENANCE);
    const stream = stores.samples.stream({})[Symbol.asyncIterator]();
    await stream.next();
    await stores.close();
    const closed = {
      name: 'StoreError',
      code: 'unavailable',
      message: expect.stringContaining('closed') as string,
    };
    await expect(stores.ping()).rejects.toMatchObject(closed);
    await expect(stores.campaigns.get('campaign-a')).rejects.toMatchObject(closed);
    const rest = collect({ [Symbol.asyncIterator]: () => stream });
    await expect(rest).rejects.toMatchObject(closed);
  });

  it('refuses to open a file twice in one process, also through a link, and names the process', async () => {
    const first = await open();
    const link = join(directory, 'link.sqlite');
    symlinkSync(file, link);
    for (const path of [file, link, join(directory, '.', 'x', '..', 'data.sqlite')]) {
      await expect(openSqliteStores(path)).rejects.toMatchObject({
        code: 'in-use',
        message: expect.stringContaining(`pid ${process.pid}`) as string,
      });
    }
    await first.samples.record(buildBatch(1), PROVENANCE);
    await first.close();
    await expect((await open(link)).samples.counts('campaign-a')).resolves.toMatchObject({ ok: 1 });
  });

  it('refuses a file of a newer version and does not change it', async () => {
    await (await open()).close();
    const database = new Database(file);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const before = readFileSync(file);
    await expect(openSqliteStores(file)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/newer version.*knows up to 8/) as string,
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('refuses a database of another program and does not change it', async () => {
    const database = new Database(file);
    database.exec('CREATE TABLE recipes (name TEXT)');
    database.close();
    const before = readFileSync(file);
    await expect(openSqliteStores(file)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('another program') as string,
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('refuses a file that is not a database, and a directory', async () => {
    writeFileSync(file, 'id,name\n1,not a database\n'.repeat(1000));
    await expect(openSqliteStores(file)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('not an SQLite database') as string,
    });
    // A refused call leaves no lock behind.
    rmSync(file);
    await (await open()).ping();
    const inTheWay = join(directory, 'folder');
    mkdirSync(inTheWay);
    await expect(openSqliteStores(inTheWay)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(openSqliteStores(join(file, 'below.sqlite'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  (existsSync('/proc/self') ? it : it.skip)(
    'names a directory that cannot be created (skipped without /proc)',
    async () => {
      await expect(openSqliteStores('/proc/x/data.sqlite')).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('The directory /proc/x cannot be made: ENOENT'),
      });
    },
  );

  it('reports a damaged file when it reads the damage', async () => {
    const first = await open();
    await first.samples.record(buildBatch(300), PROVENANCE);
    await first.close();
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4096 * 8);
    writeFileSync(file, bytes);
    chmodSync(file, 0o600);
    const damaged = open().then((stores) => collect(stores.samples.stream({})));
    await expect(damaged).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('damaged') as string,
    });
  });

  it('holds no transaction between the pages of a stream, and lets other calls run', async () => {
    const stores = await open();
    await stores.samples.record(buildBatch(2000), PROVENANCE);
    let turns = 0;
    const streaming = new AbortController();
    const counting = (async () => {
      while (!streaming.signal.aborted) {
        await nextTurn();
        turns += 1;
      }
    })();
    let seen = 0;
    for await (const sample of stores.samples.stream({})) {
      if (seen === 300) {
        const other = new Database(file);
        expect(other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()).toEqual([
          { busy: 0, log: 0, checkpointed: 0 },
        ]);
        other.close();
      }
      expect(sample.timing?.batchTimesMs).toHaveLength(11);
      seen += 1;
    }
    streaming.abort();
    await counting;
    expect(seen).toBe(2000);
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('reports a full disk, stores nothing then, and continues when space is free', async () => {
    const connection = new Connection(file);
    migrate(connection);
    const samples = new SqliteSampleStore(connection);
    const first = buildBatch(20);
    await samples.record(first, PROVENANCE);
    const pages = Number(connection.rows('PRAGMA page_count')[0]?.[0]);
    connection.execute(`PRAGMA max_page_count = ${pages + 5}`);
    const next = buildBatch(200, 100);
    await expect(samples.record(next, new Map())).rejects.toMatchObject({
      name: 'StoreError',
      code: 'unavailable',
      message: expect.stringContaining('the disk is full') as string,
    });
    expect(await samples.counts('campaign-a')).toMatchObject({ ok: 20 });
    expect(await collect(samples.stream({}))).toHaveLength(20);
    connection.execute('PRAGMA max_page_count = 100000');
    expect(await samples.record(next, new Map())).toEqual({ inserted: 200, duplicates: 0 });
    connection.close();
  });

  it('stores nothing of a batch when one of its ids belongs to another slot', async () => {
    const { samples } = await open();
    const [first] = buildBatch(1);
    await samples.record(first === undefined ? [] : [first], PROVENANCE);
    const batch = buildBatch(3, 10);
    const clash = batch.map((sample, i) => (i === 2 ? { ...sample, id: first?.id ?? '' } : sample));
    await expect(samples.record(clash, PROVENANCE)).rejects.toMatchObject({ code: 'already-exists' });
    expect((await samples.counts('campaign-a')).ok).toBe(1);
  });
});

describe('migrate', () => {
  it('treats models that were stored without a status as published', async () => {
    const connection = new Connection(':memory:');
    migrate(connection, MIGRATIONS.slice(0, 1));
    const { status, statusReason, ...old } = buildModelDraft();
    const doc = JSON.stringify({ ...old, id: 'class-a-v1', version: 1 });
    connection.run(
      'INSERT INTO models (id, device_class_id, version, data_digest, form, created_at, doc) VALUES (?, ?, 1, ?, ?, 0, ?)',
      ['class-a-v1', 'class-a', old.data.digest, old.chosenForm, doc],
    );
    migrate(connection);
    const models = new SqliteModelStore(connection);
    const read = { ...old, id: 'class-a-v1', version: 1, status, statusReason };
    expect(read).toMatchObject({ status: 'published', statusReason: null });
    expect(await models.served('class-a')).toEqual(read);
    expect((await models.list({}, { limit: 5 })).items).toEqual([read]);
    connection.close();
  });

  it('moves specs into pages and keeps their positions', async () => {
    const connection = new Connection(':memory:');
    migrate(connection, MIGRATIONS.slice(0, 6));
    const planned: [string, number, number][] = [
      ['campaign-b', 3, 8],
      ['campaign-a', 0, 250],
      ['campaign-a', 260, 470],
    ];
    for (const [id, from, to] of planned) {
      // Inserted in reverse: the order of insertion differs from the order of the plan.
      for (let at = to - 1; at >= from; at -= 1) {
        connection.run('INSERT INTO campaign_specs (campaign_id, position, doc) VALUES (?, ?, ?)', [
          id,
          at,
          JSON.stringify(buildSpec(at)),
        ]);
      }
    }
    migrate(connection);
    const campaigns = new SqliteCampaignStore(connection);
    for (const [id, from, to] of planned) {
      const specs = Array.from({ length: to - from }, (_, i) => buildSpec(from + i));
      expect(await campaigns.specs(id, from, to)).toEqual(specs);
      await campaigns.putSpecs(id, from, specs);
    }
    expect(await campaigns.specs('campaign-a', 240, 265)).toHaveLength(15);
    expect(await campaigns.specs('campaign-b', 0, 100)).toHaveLength(5);
    connection.close();
  });

  it('runs each new migration once, and undoes a migration that fails', () => {
    const connection = new Connection(':memory:');
    const first = 'CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)';
    migrate(connection, [first]);
    migrate(connection, [first, 'UPDATE a SET x = x + 1']);
    migrate(connection, [first, 'UPDATE a SET x = x + 1']);
    expect(connection.rows('SELECT x FROM a')).toEqual([[2]]);
    expect(() => {
      migrate(connection, [first, '', 'UPDATE a SET x = 10; INSERT INTO nowhere VALUES (1)']);
    }).toThrow(/nowhere/);
    expect(connection.rows('SELECT x FROM a')).toEqual([[2]]);
    expect(connection.pragma('user_version')).toBe(2);
    connection.close();
  });
});
