/** Data sets: frozen, verified, moved to other deployments and back, in every format. */
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { components } from '@alphaflops/api-client';
import { pythonForTests } from './support/python.js';
import { Stack, until } from './support/stack.js';

type Dataset = components['schemas']['Dataset'];
type Model = components['schemas']['Model'];

const CLI = resolve(import.meta.dirname, '../apps/cli/bin/alphaflops.js');
const FORMATS = ['parquet', 'csv', 'jsonl'] as const;
const SPECS = 40;

interface Ran {
  code: number;
  out: string;
  err: string;
}

function alphaflops(...args: string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], { cwd: tmpdir() }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const at = ({ url, token }: Stack) => ['--url', url, '--token', token];

let directory: string;
let origin: Stack;
let model: Model;
let frozen: Dataset;
const exported = (format: string) => join(directory, format);

async function ended(stack: Stack, id: string) {
  const { data } = await until(
    () => stack.api.GET('/v1/campaigns/{id}', { params: { path: { id } } }),
    (answer) => ['completed', 'failed', 'cancelled'].includes(answer.data?.state ?? ''),
  );
  return data;
}

async function fitted(stack: Stack, deviceClassId: string): Promise<Model> {
  const { data } = await stack.api.POST('/v1/device-classes/{id}/fits', {
    params: { path: { id: deviceClassId } },
    body: {},
  });
  const id = data?.id ?? '';
  const { data: state } = await until(
    () => stack.api.GET('/v1/fits/{id}', { params: { path: { id } } }),
    (answer) => ['completed', 'failed'].includes(answer.data?.state ?? ''),
  );
  const found = await stack.api.GET('/v1/models/{id}', { params: { path: { id: state?.modelId ?? '' } } });
  return found.data as Model;
}

async function exportFrom(stack: Stack, format: string, to: string): Promise<Dataset> {
  const ran = await alphaflops('dataset', 'export', '--format', format, '--out', to, '--json', ...at(stack));
  expect(ran).toMatchObject({ code: 0, err: '' });
  return JSON.parse(ran.out) as Dataset;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-datasets-'));
  origin = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '10' });
  origin.startWorker(await origin.enrol('node'));
  const { data: classes } = await origin.api.GET('/v1/device-classes');
  const { data: campaign } = await origin.api.POST('/v1/campaigns', {
    body: {
      name: 'to be published',
      design: { name: 'networklike', seed: 7 },
      target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
      repeats: 0,
      budget: { specs: SPECS },
      constraints: { maxMacs: 1e7, allowGroups: false },
      fit: { form: 'alpha' },
    },
  });
  const done = await ended(origin, campaign?.id ?? '');
  const found = await origin.api.GET('/v1/models/{id}', { params: { path: { id: done?.modelId ?? '' } } });
  model = found.data as Model;
  for (const format of FORMATS) frozen = await exportFrom(origin, format, exported(format));
}, 120_000);
afterAll(async () => {
  await origin.stop();
  await rm(directory, { recursive: true });
}, 60_000);

describe('a frozen data set', () => {
  it('is the same for every export and every format', async () => {
    const { data: list } = await origin.api.GET('/v1/datasets');
    expect(list?.items).toEqual([frozen]);
    expect(frozen).toMatchObject({ rows: SPECS, signedRows: SPECS, importedRows: 0, version: 1 });
    expect(frozen.fitInputs).toEqual([
      expect.objectContaining({ modelId: model.id, dataDigest: model.data.digest, rows: SPECS }),
    ]);
    expect(frozen.workers).toHaveLength(1);
  });

  it.each(FORMATS)('is valid as %s, and a fit of it gives its model again', async (format) => {
    const ran = await alphaflops('dataset', 'verify', exported(format), '--refit');
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toBe(`${SPECS} rows, ${SPECS} of them signed, 1 models fitted again; id ${frozen.id}\n`);
    const kept = JSON.parse(
      await readFile(join(exported(format), 'models', `${model.id ?? ''}.json`), 'utf8'),
    ) as unknown;
    expect(kept).toEqual(model);
  });

  it('is downloaded as one archive and as rows', async () => {
    const get = (path: string) =>
      fetch(`${origin.url}/v1/datasets/${frozen.id}/${path}`, {
        headers: { authorization: `Bearer ${origin.token}` },
      });
    const archive = join(directory, 'archive.zip');
    await writeFile(archive, Buffer.from(await (await get('archive?format=csv')).arrayBuffer()));
    const { status, stderr } = spawnSync('python3', ['-m', 'zipfile', '-e', archive, directory], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(await alphaflops('dataset', 'verify', join(directory, 'samples-v1'))).toMatchObject({ code: 0 });
    const rows = await (await get('rows?format=csv')).text();
    expect(rows).toBe(await readFile(join(exported('csv'), 'data/samples.csv'), 'utf8'));
    expect((await fetch(`${origin.url}/v1/datasets/${frozen.id}/rows`)).status).toBe(401);
  });

  it('is refused when no sample matches', async () => {
    const out = join(directory, 'nothing');
    const ran = await alphaflops('dataset', 'export', '--campaign', 'other', '--out', out, ...at(origin));
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('No good sample matches');
  });
});

describe('an empty deployment', () => {
  it('imports a data set, fits the same rows, and exports the same data set', async () => {
    const other = await Stack.start();
    try {
      const into = ['dataset', 'import', exported('parquet'), '--json', ...at(other)];
      expect(JSON.parse((await alphaflops(...into)).out)).toEqual({ recorded: SPECS, present: 0 });
      expect(JSON.parse((await alphaflops(...into)).out)).toEqual({ recorded: 0, present: SPECS });
      const back = join(directory, 'back');
      const dataset = await exportFrom(other, 'jsonl', back);
      expect(dataset.id).toBe(frozen.id);
      expect(dataset).toMatchObject({ signedRows: 0, importedRows: SPECS, workers: [] });
      const [deviceClassId] = frozen.deviceClasses.map(({ id }) => id);
      const again = await fitted(other, deviceClassId ?? '');
      expect(again.data.digest).toBe(model.data.digest);
    } finally {
      await other.stop();
    }
  });

  it('imports a table from another program, fits it and predicts', async () => {
    const table = join(directory, 'replication.csv');
    const lines = Array.from({ length: 30 }, (_, i) => {
      const [size, channels] = [8 + 3 * i, 16 + 5 * (i % 7)];
      const seconds = 2e-5 + 1e-12 * size * size * channels * channels * 9;
      return `${size},${size},${channels},${channels},3,${seconds},0`;
    });
    await writeFile(table, `W,H,Cin,Cout,K,avg_time,FLOPs\n${lines.join('\n')}\n`);
    // The one that measured something itself.
    const into = [
      'dataset',
      'import',
      table,
      '--device-class',
      'their-gpu',
      '--sku',
      'Their GPU',
      ...at(origin),
    ];
    expect(await alphaflops(...into)).toMatchObject({
      code: 0,
      out: '30 samples stored, 0 existed already.\n',
    });
    const { data } = await fitted(origin, 'their-gpu');
    expect(data.samples).toBe(30);
    const { data: predicted } = await origin.api.POST('/v1/predictions', {
      body: {
        model: { kind: 'device-class', deviceClassId: 'their-gpu' },
        layers: [{ height: 40, width: 40, cin: 32, cout: 32, kernel_h: 3, kernel_w: 3 }],
      },
    });
    expect(predicted?.layers[0]?.predictedMs).toBeGreaterThan(0.02);
    const stored = await origin.api.GET('/v1/samples', {
      params: { query: { deviceClassId: 'their-gpu', limit: 1 } },
    });
    expect(stored.data?.items[0]).toMatchObject({ signature: null, workerId: null, timing: { cv: null } });
    expect(stored.data?.items[0]?.importedAt).toBeDefined();
  });
});

describe('a data set with energy', () => {
  let counting: Stack;
  let energetic: Model;
  const folder = (format: string) => join(directory, `energy-${format}`);

  beforeAll(async () => {
    counting = await Stack.start();
    counting.startWorker(await counting.enrol('gpus', 'fake-gpu'));
    const { data: classes } = await counting.api.GET('/v1/device-classes');
    const { data: campaign } = await counting.api.POST('/v1/campaigns', {
      body: {
        name: 'with energy',
        design: { name: 'networklike', seed: 7 },
        target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
        repeats: 0,
        budget: { specs: SPECS },
        energy: true,
      },
    });
    const done = await ended(counting, campaign?.id ?? '');
    const path = { id: done?.modelId ?? '' };
    energetic = (await counting.api.GET('/v1/models/{id}', { params: { path } })).data as Model;
    for (const format of FORMATS) await exportFrom(counting, format, folder(format));
  }, 120_000);
  afterAll(() => counting.stop(), 60_000);

  const kept = (format: string) => join(folder(format), 'models', `${energetic.id ?? ''}.json`);

  it.each(FORMATS)('as %s gives its model again, including the energy', async (format) => {
    expect(energetic.energy?.data).toEqual({ samples: SPECS, shapes: SPECS, meter: 'program' });
    expect(JSON.parse(await readFile(kept(format), 'utf8'))).toEqual(energetic);
    const ran = await alphaflops('dataset', 'verify', folder(format), '--refit');
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain(`${SPECS} rows, ${SPECS} of them signed, 1 models fitted again;`);
  });

  it('does not reproduce a model in which one number of the energy differs', async () => {
    const copy = join(directory, 'energy-other');
    await cp(folder('csv'), copy, { recursive: true });
    const { energy, ...rest } = energetic;
    const [first, ...others] = energy?.forms ?? [];
    const [group, ...groups] = first?.groups ?? [];
    const [parameter, ...parameters] = group?.parameters ?? [];
    const changed = { ...parameter, value: (parameter?.value ?? NaN) * (1 + 1e-15) };
    const forms = [
      { ...first, groups: [{ ...group, parameters: [changed, ...parameters] }, ...groups] },
      ...others,
    ];
    const file = join(copy, 'models', `${energetic.id ?? ''}.json`);
    await writeFile(file, JSON.stringify({ ...rest, energy: { ...energy, forms } }));
    const ran = await alphaflops('dataset', 'verify', copy, '--refit');
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('another fit of the rows gives a different model');
  });

  it('gives the same model of energy in another deployment', async () => {
    const other = await Stack.start();
    try {
      const ran = await alphaflops('dataset', 'import', folder('parquet'), ...at(other));
      expect(ran).toMatchObject({ code: 0, err: '' });
      const again = await fitted(other, energetic.deviceClassId ?? '');
      expect(JSON.stringify(again.energy)).toBe(JSON.stringify(energetic.energy));
    } finally {
      await other.stop();
    }
  });
});

describe('a data set with problems', () => {
  const damaged = async (name: string): Promise<string> => {
    const copy = join(directory, name);
    await cp(exported('csv'), copy, { recursive: true });
    return copy;
  };
  const findings = async (where: string) => {
    const ran = await alphaflops('dataset', 'verify', where, '--json');
    const { findings: found } = JSON.parse(ran.out) as {
      findings: { code: string; file: string; line: number | null; column: string | null }[];
    };
    return { code: ran.code, found };
  };

  it('is reported: a changed time', async () => {
    const copy = await damaged('changed');
    const file = join(copy, 'data/samples.csv');
    const [header = '', first = '', ...rest] = (await readFile(file, 'utf8')).split('\n');
    const column = header.split(',').indexOf('time_ms');
    const cells = first.split(',');
    cells[column] = '0.5';
    await writeFile(file, [header, cells.join(','), ...rest].join('\n'));
    const { code, found } = await findings(copy);
    expect(code).toBe(1);
    const codes = found.map((one) => one.code);
    for (const kind of ['checksum', 'digest', 'fit-input']) expect(codes).toContain(kind);
    expect(found).toContainEqual(
      expect.objectContaining({ code: 'signature', file: 'data/samples.csv', line: 2, column: 'signature' }),
    );
    const refused = await alphaflops('dataset', 'import', copy, ...at(origin));
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('is damaged');
  });

  it('is reported: a row twice, a size below 1, a text for a number', async () => {
    const copy = await damaged('twice');
    const file = join(copy, 'data/samples.csv');
    const [header = '', first = '', second = '', ...rest] = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [header, first, first, second, ...rest].join('\n'));
    expect((await findings(copy)).found.map((one) => one.code)).toEqual(
      expect.arrayContaining(['duplicate', 'order', 'count']),
    );
    const height = header.split(',').indexOf('height');
    const cells = second.split(',');
    cells[height] = '0';
    const others = second.split(',');
    others[height] = 'tall';
    await writeFile(file, [header, first, cells.join(','), others.join(','), ...rest].join('\n'));
    expect((await findings(copy)).found).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: 'invalid-value', line: 3, column: 'height' }),
        expect.objectContaining({ code: 'invalid-value', line: 4, column: 'height' }),
      ]),
    );
  });

  it('is reported: files outside of its folder', async () => {
    const copy = await damaged('elsewhere');
    const sums = join(copy, 'SHA256SUMS');
    await writeFile(sums, `${'0'.repeat(64)}  ../../etc/passwd\n${await readFile(sums, 'utf8')}`);
    await rm(join(copy, 'LICENSE'));
    await symlink('/etc/passwd', join(copy, 'LICENSE'));
    const { code, found } = await findings(copy);
    expect(code).toBe(1);
    expect(found).toEqual([
      expect.objectContaining({ code: 'path', file: 'SHA256SUMS', line: 1 }),
      expect.objectContaining({ code: 'path', file: 'LICENSE' }),
      expect.objectContaining({ code: 'missing-file', file: 'LICENSE' }),
    ]);
  });

  it('is reported: keys of other workers', async () => {
    const keys = join(directory, 'keys.json');
    const [worker] = frozen.workers;
    await writeFile(keys, JSON.stringify([{ ...worker, publicKey: 'A'.repeat(43) }]));
    const ran = await alphaflops('dataset', 'verify', exported('csv'), '--keys', keys);
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('is not a valid signature of');
  });
});

const python = pythonForTests();

describe(`programs of others${python.skip === null ? '' : ` (skipped: ${python.skip})`}`, () => {
  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(python.program, ['-c', program, ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as unknown;
  };
  const whenPython = python.skip === null ? it : it.skip;
  const whenDuckdb = python.has('duckdb') ? it : it.skip;
  const whenCroissant = python.has('mlcroissant') ? it : it.skip;

  whenPython('Python’s csv, json and hashlib read the rows and make the id', () => {
    const program = `
import csv, hashlib, json, sys
csv.field_size_limit(10**7)
rows = [json.loads(line) for line in open(sys.argv[1], encoding='utf8')]
cells = list(csv.DictReader(open(sys.argv[2], encoding='utf8', newline='')))
assert [row['sample_id'] for row in rows] == [row['sample_id'] for row in cells]
assert [row['time_ms'] for row in rows] == [float(row['time_ms']) for row in cells]
assert [row['batch_times_ms'] for row in rows] == [json.loads(row['batch_times_ms']) for row in cells]
sums = [line.split('  ') for line in open(sys.argv[3], encoding='utf8').read().splitlines()]
for sum, path in sums:
    assert hashlib.sha256(open(sys.argv[3].replace('SHA256SUMS', path), 'rb').read()).hexdigest() == sum, path
print(json.dumps([len(rows), len(sums)]))`;
    const sums = join(exported('csv'), 'SHA256SUMS');
    const [rows] = run(
      program,
      join(exported('jsonl'), 'data/samples.jsonl'),
      join(exported('csv'), 'data/samples.csv'),
      sums,
    ) as number[];
    expect(rows).toBe(SPECS);
  });

  whenDuckdb('DuckDB reads the same of all formats', () => {
    const program = `
import duckdb, json, sys
def read(source):
    return duckdb.sql(f"select sample_id, height, time_ms, cast(batch_times_ms as double[]) as times from {source} order by sample_id").fetchall()
parquet, csv, jsonl = (read(source) for source in (f"read_parquet('{sys.argv[1]}')", f"read_csv('{sys.argv[2]}')", f"read_json('{sys.argv[3]}')"))
assert parquet == csv, (parquet[0], csv[0])
assert parquet == jsonl, (parquet[0], jsonl[0])
print(json.dumps(len(parquet)))`;
    const files = FORMATS.map((format) => join(exported(format), `data/samples.${format}`));
    expect(run(program, ...files)).toBe(SPECS);
  });

  whenCroissant('mlcroissant finds nothing wrong with the metadata, and reads the rows by it', () => {
    const program = `
import json, logging, sys
logging.disable(logging.CRITICAL)
import mlcroissant
counts = []
for path in sys.argv[1:]:
    dataset = mlcroissant.Dataset(jsonld=path)
    assert not dataset.metadata.ctx.issues.errors, dataset.metadata.ctx.issues.report()
    # For Parquet it would need another package.
    counts.append(None if 'parquet' in path else sum(1 for _ in dataset.records('rows')))
print(json.dumps(counts))`;
    const files = FORMATS.map((format) => join(exported(format), 'croissant.json'));
    expect(run(program, ...files)).toEqual([null, SPECS, SPECS]);
  });
});
