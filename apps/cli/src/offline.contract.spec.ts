import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The built program as scripts run it. */
const program = resolve(import.meta.dirname, '../bin/alphaflops.js');
const isBuilt = existsSync(resolve(import.meta.dirname, '../dist/main.js'));

interface Ran {
  exitCode: number;
  out: string;
  err: string;
}

function alphaflops(args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [program, ...args], { cwd: tmpdir() }, (error, out, err) => {
      done({ exitCode: error === null ? 0 : Number(error.code), out, err });
    });
    child.stdin?.end(input);
  });
}

/** c·M with a launch cost: a device that the forms can describe. */
function timeMs(height: number, width: number, cin: number, cout: number, kernel: number): number {
  return 0.01 + (2e-3 * height * width * cin * cout * kernel ** 2) / 1e6;
}

const SHAPES = [8, 16, 24, 32, 48, 64].flatMap((side) =>
  [4, 8, 16].flatMap((channels) =>
    [1, 3].map((kernel) => [side, side + 4, channels, 2 * channels, kernel] as const),
  ),
);
const CANONICAL = [
  'note,height,width,cin,cout,kernel_h,kernel_w,time_ms',
  ...SHAPES.map((s, row) => `"a, ${row}",${s[0]},${s[1]},${s[2]},${s[3]},${s[4]},${s[4]},${timeMs(...s)}`),
].join('\n');
const AUTHORS = [
  'series,line,H,W,Cin,Cout,K1,K2,T_ms',
  ...SHAPES.map((s, row) => `x,${row},${s[0]},${s[1]},${s[2]},${s[3]},${s[4]},${s[4]},${timeMs(...s)}`),
].join('\n');
const REPLICATION = [
  'W,H,Cin,Cout,K,avg_time,FLOPs',
  ...SHAPES.map((s) => `${s[1]},${s[0]},${s[2]},${s[3]},${s[4]},${timeMs(...s) / 1000},0`),
].join('\n');

(isBuilt ? describe : describe.skip)('offline commands (skipped without a build: npm run build)', () => {
  let directory: string;
  const at = (name: string) => join(directory, name);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-cli-'));
    await writeFile(at('canonical.csv'), CANONICAL);
    await writeFile(at('authors.csv'), AUTHORS);
    await writeFile(at('replication.csv'), REPLICATION);
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  it.each([
    ['canonical', 'note'],
    ['authors', 'line'],
    ['replication', 'FLOPs'],
  ])('fit, predict and evaluate files of the %s layout', async (layout, unused) => {
    const [data, model, predicted] = [at(`${layout}.csv`), at(`${layout}.json`), at(`${layout}-pred.csv`)];
    const fitted = await alphaflops(['fit', '--data', data, '--out', model]);
    expect(fitted).toMatchObject({ exitCode: 0, err: `${data}: columns not used: "${unused}"\n` });
    expect(fitted.out).toContain('chosen form: alpha-latency');
    expect(fitted.out).toContain('not identifiable');

    expect(await alphaflops(['predict', '--model', model, '--data', data, '--out', predicted])).toMatchObject(
      {
        exitCode: 0,
      },
    );
    const [header = '', first = '', ...rest] = (await readFile(predicted, 'utf8')).trimEnd().split('\n');
    const [inputHeader = '', inputFirst = ''] = (await readFile(data, 'utf8')).split('\n');
    expect(header).toBe(`${inputHeader},predicted_ms,lower_ms,upper_ms,alpha,alpha_flops,in_domain`);
    expect(first.startsWith(`${inputFirst},`)).toBe(true);
    expect(first.endsWith(',true')).toBe(true);
    expect(rest).toHaveLength(SHAPES.length - 1);

    const judged = await alphaflops(['evaluate', '--model', model, '--data', data, '--json']);
    const metrics = JSON.parse(judged.out) as Record<string, number>;
    expect(Object.keys(metrics)).toEqual(
      expect.arrayContaining([
        ...['mape', 'median_ape', 'within_10', 'within_20', 'rmspe', 'r2_log', 'spearman', 'coverage', 'n'],
      ]),
    );
    expect(metrics).toMatchObject({ n: SHAPES.length, within_10: 1 });
    expect(metrics['mape']).toBeLessThan(0.01);
  });

  it('fit energy in addition to time, predict it and evaluate it', async () => {
    const energyMillijoules = (row: string) => 300 * Number(row.split(',').at(-1));
    const [header, ...rows] = CANONICAL.split('\n');
    const text = [`${header},energy_mj`, ...rows.map((row) => `${row},${energyMillijoules(row)}`)].join('\n');
    await writeFile(at('energy.csv'), text);
    const fitted = await alphaflops(['fit', '--data', at('energy.csv'), '--out', at('energy.json')]);
    expect(fitted.out).toContain(`Energy: ${SHAPES.length} samples of ${SHAPES.length} shapes`);
    expect(fitted.out).toContain('mJ per million multiply-adds');

    const [model, data] = [at('energy.json'), at('energy.csv')];
    const { out } = await alphaflops(['predict', '--model', model, '--data', data, '--out', '-']);
    const [columns = '', first = ''] = out.split('\n');
    expect(columns).toMatch(/,in_domain,energy_mj,lower_energy_mj,upper_energy_mj,energy_in_domain$/);
    // The column of that name in the input is replaced.
    expect(columns.match(/\benergy_mj\b/g)).toHaveLength(1);
    const predicted = Number(first.split(',').at(-4));
    const measured = energyMillijoules(rows[0] ?? '');
    expect(predicted / measured).toBeGreaterThan(0.9);
    expect(predicted / measured).toBeLessThan(1.1);

    const judged = await alphaflops(['evaluate', '--model', model, '--data', data, '--json']);
    const { energy } = JSON.parse(judged.out) as { energy?: Record<string, number> };
    expect(energy).toMatchObject({ n: SHAPES.length, within_10: 1 });
    const layer = await alphaflops(['predict', '--model', model, '--spec', 'h16-w20-i8-o16-k3x3']);
    expect(layer.out).toMatch(/energy +\S+ mJ/);

    // Two images at a time of the first shape, 16 × 20 with 8 → 16 channels.
    const net = {
      format: 'alphaflops.layers/1',
      batch: 2,
      layers: [
        ...[
          { name: 'c', op: 'conv', dtype: 'f32', kind: 'conv', batch: 1, input: [16, 20], cin: 8, cout: 16 },
        ],
      ].map((one) => ({ ...one, kernel: [3, 3], pads: [1, 1, 1, 1] })),
    };
    await writeFile(at('energy-net.json'), JSON.stringify(net));
    const network = ['--model', model, '--network', at('energy-net.json'), '--grid-intensity', '400'];
    const shown = await alphaflops(['predict', ...network]);
    expect(shown.out).toMatch(/energy +\S+ mJ = \S+ Wh/);
    expect(shown.out).toMatch(/CO2e at 400 g\/kWh/);
    expect(shown.out).toMatch(/per million inferences +\S+ kg \(\S+ … \S+ kg\)/);
    const { total, emissions } = JSON.parse((await alphaflops(['predict', ...network, '--json'])).out) as {
      total: { energyMillijoules: number; energyWh: number };
      emissions: { perInference: { grams: number }; perMillionInferences: { kilograms: number } };
    };
    expect(total.energyWh).toBeCloseTo(total.energyMillijoules / 3.6e6, 15);
    expect(emissions.perInference.grams).toBeCloseTo((0.4 * total.energyWh) / 2, 15);
    expect(emissions.perMillionInferences.kilograms).toBeCloseTo(1000 * emissions.perInference.grams, 12);
  });

  it('give the same bytes for the same data, and different bytes for fewer rows', async () => {
    const fit = (out: string, ...more: string[]) =>
      alphaflops(['fit', '--data', at('canonical.csv'), '--out', at(out), ...more]);
    await fit('once.json');
    await fit('again.json');
    await fit('less.json', '--limit', '12', '--form', 'flops', '--loss', 'absolute', '--coverage', '0.8');
    expect(await readFile(at('again.json'), 'utf8')).toBe(await readFile(at('once.json'), 'utf8'));
    expect(JSON.parse(await readFile(at('less.json'), 'utf8'))).toMatchObject({
      chosenForm: 'flops',
      loss: 'absolute',
      interval: { coverage: 0.8 },
      data: { samples: 12 },
    });

    const diff = (...args: string[]) => alphaflops(['model', 'diff', ...args]);
    const [once, less] = [at('once.json'), at('less.json')];
    expect((await diff(once, at('again.json'))).out).toBe('Nothing changed.\n');
    const changed = await diff(once, less);
    expect(changed).toMatchObject({ exitCode: 0, err: '' });
    expect(changed.out).toMatch(/chosen form\s+alpha-latency\s+flops/);
    const { origin } = JSON.parse((await diff(once, less, '--json')).out) as { origin: object[] };
    expect(origin).toContainEqual({ what: 'samples', before: String(SHAPES.length), after: '12' });
  });

  it('read standard input, and write only their result to standard output', async () => {
    const fitted = await alphaflops(['fit', '--data', '-', '--out', '-'], CANONICAL);
    expect(fitted.exitCode).toBe(0);
    expect(JSON.parse(fitted.out)).toMatchObject({ schema: 'alphaflops.model/1' });
    await writeFile(at('piped.json'), fitted.out);
    const planned = await alphaflops([
      'plan',
      '--design',
      'networklike',
      '--size',
      '20',
      '--seed',
      '3',
      '--out',
      '-',
    ]);
    expect(planned.out.trimEnd().split('\n')).toHaveLength(21);
    const predicted = await alphaflops(
      ['predict', '--model', at('piped.json'), '--data', '-', '--out', '-'],
      planned.out,
    );
    expect(predicted.out.trimEnd().split('\n')).toHaveLength(21);
    const again = await alphaflops(
      ['predict', '--model', at('piped.json'), '--data', '-', '--out', '-'],
      predicted.out,
    );
    expect(again.out).toBe(predicted.out);
  });

  it('predict a network file, layer by layer and in total', async () => {
    const convolution = (name: string, filters: number) => ({
      class_name: 'Conv2D',
      config: { name, filters, kernel_size: [3, 3], padding: 'same' },
    });
    const image = { class_name: 'InputLayer', config: { name: 'image', batch_shape: [null, 32, 36, 8] } };
    const layers = [
      image,
      convolution('first', 16),
      convolution('second', 32),
      { class_name: 'Softmax', config: {} },
    ];
    await writeFile(
      at('net.json'),
      JSON.stringify({ class_name: 'Sequential', config: { name: 'net', layers } }),
    );
    await alphaflops(['fit', '--data', at('canonical.csv'), '--out', at('net-model.json')]);
    const predict = (...more: string[]) =>
      alphaflops(['predict', '--model', at('net-model.json'), '--network', at('net.json'), ...more]);
    const shown = await predict();
    expect(shown.out).toMatch(/^The total is complete: 2 of 2 layers that multiply are costed\.\n/);
    expect(shown.out).toMatch(/first .*8 → 16/);
    expect(shown.out).toMatch(/Not costed: 1 Softmax/);
    const { layers: found, total } = JSON.parse((await predict('--json')).out) as {
      layers: { predictedMs: number }[];
      total: { predictedMs: number; isComplete: boolean; missing: unknown[] };
    };
    expect(total).toMatchObject({ isComplete: true, layersFound: 2, layersCosted: 2, missing: [] });
    const truthMs = timeMs(32, 36, 8, 16, 3) + timeMs(32, 36, 16, 32, 3);
    expect(found).toHaveLength(2);
    expect(total.predictedMs / truthMs).toBeGreaterThan(0.9);
    expect(total.predictedMs / truthMs).toBeLessThan(1.1);
    expect((await predict('--grid-intensity', '400')).out).toMatch(/No CO2e: this model has no energy/);
    expect((await predict('--input', '1x8')).err).toMatch(
      /net\.json: The input "image" has 4 axes \(\?x32x36x8\), not 2/,
    );
  });

  it('count one layer and one step in the singular', async () => {
    const layers = [
      { class_name: 'InputLayer', config: { name: 'image', batch_shape: [null, 32, 36, 8] } },
      { class_name: 'Conv2D', config: { name: 'only', filters: 16, kernel_size: 3, padding: 'same' } },
    ];
    await writeFile(at('one.json'), JSON.stringify({ class_name: 'Sequential', config: { layers } }));
    await alphaflops(['fit', '--data', at('canonical.csv'), '--out', at('net-model.json')]);
    const { out } = await alphaflops([
      ...['predict', '--model', at('net-model.json'), '--network', at('one.json')],
      ...['--training', '--samples', '1'],
    ]);
    expect(out).toMatch(/^The total is complete: 1 of 1 layer that multiplies is costed\.\n/);
    expect(out).toMatch(/^1 layer$/m);
    expect(out).toMatch(/^epoch of 1 step /m);
  });

  it('report what is missing in a total, and fail with --strict', async () => {
    const layers = [
      { class_name: 'InputLayer', config: { name: 'image', batch_shape: [null, 32, 36, 8] } },
      { class_name: 'Conv2D', config: { name: 'first', filters: 16, kernel_size: 3, padding: 'same' } },
      { class_name: 'Mine', config: {} },
      { class_name: 'Dense', config: { name: 'last', units: 4 } },
    ];
    await writeFile(at('part.json'), JSON.stringify({ class_name: 'Sequential', config: { layers } }));
    await alphaflops(['fit', '--data', at('canonical.csv'), '--out', at('net-model.json')]);
    const predict = (...more: string[]) =>
      alphaflops(['predict', '--model', at('net-model.json'), '--network', at('part.json'), ...more]);
    const shown = await predict();
    expect(shown.exitCode).toBe(0);
    expect(shown.out).toMatch(
      /^The total is a lower bound: 1 of 2 layers that multiply are costed; the missing share .* is unknown \(Mine, Dense\)\. Sizes were lost first at Mine "Mine"\.\n/,
    );
    expect(shown.out).toMatch(/1 of 2 layers \(lower bound\)\n.*time\s+≥/s);
    const strict = await predict('--strict', '--json');
    expect([strict.exitCode, strict.err]).toEqual([1, expect.stringMatching(/not complete/)]);
    expect((JSON.parse(strict.out) as { total: object }).total).toMatchObject({
      ...{ isComplete: false, missingShare: null, firstLoss: { name: 'Mine', op: 'Mine' } },
      missing: [
        { op: 'Mine', count: 1, macs: null },
        { op: 'Dense', count: 1, macs: null },
      ],
    });
    const given = await predict('--input', 'image=1x32x36x8');
    expect(given.exitCode).toBe(0);
    expect((await predict('--input', 'other=1x2')).err).toMatch(
      /no input "other"\. It has these inputs: "image"/,
    );
    expect((await predict('--batch', '4')).exitCode).toBe(0);
  });

  it('plan the same shapes for the same seed, each of them once', async () => {
    const plan = async (...more: string[]) =>
      (await alphaflops(['plan', '--design', 'random', '--size', '50', '--out', '-', ...more])).out;
    expect(await plan('--seed', '7')).toBe(await plan('--seed', '7'));
    expect(await plan('--seed', '7')).not.toBe(await plan('--seed', '8'));
    await writeFile(at('twice.csv'), `${CANONICAL}\n${CANONICAL.split('\n').slice(1).join('\n')}`);
    const listed = await alphaflops([
      ...['plan', '--design', 'csv', '--csv', at('twice.csv'), '--size', '1000', '--out', '-'],
    ]);
    expect(listed.out.trimEnd().split('\n')).toHaveLength(SHAPES.length + 1);
    expect(listed.err).toContain(`${SHAPES.length} duplicate`);
  });

  const HEADER = 'height,width,cin,cout,kernel_h,kernel_w,dtype,time_ms';
  it.each([
    ['an empty file', '', 'bad.csv: expected a header and rows'],
    ['a missing column', 'height,width,cin,cout,kernel_h,time_ms\n8,8,4,4,3,1', 'line 1, column kernel_w'],
    ['a negative size', `${HEADER}\n8,8,4,4,3,3,f32,1\n-8,8,4,4,3,3,f32,1`, 'line 3, column height'],
    ['a time that is not a number', `${HEADER}\n8,8,4,4,3,3,f32,NaN`, 'line 2, column time_ms'],
    ['an unknown dtype', `${HEADER}\n8,8,4,4,3,3,f64,1`, 'line 2, column dtype'],
    ['a short line', `${HEADER}\n8,8,4`, 'line 2: expected 8 cells'],
  ])('refuse %s: file, line and column, exit code 2, no file', async (_what, text, place) => {
    await writeFile(at('bad.csv'), text);
    const { exitCode, err, out } = await alphaflops([
      'fit',
      '--data',
      at('bad.csv'),
      '--out',
      at('bad.json'),
    ]);
    expect(err).toContain(at('bad.csv'));
    expect(err).toContain(place);
    expect(err).not.toMatch(/\n\s+at /);
    expect([exitCode, out]).toEqual([2, '']);
    expect((await readdir(directory)).filter((name) => name.includes('bad.json'))).toEqual([]);
  });

  it('refuse a bad line in the middle of a long prediction without leaving half a file', async () => {
    await alphaflops(['fit', '--data', at('canonical.csv'), '--out', at('model.json')]);
    const rows = new Array<string>(5000).fill('8,8,4,4,3,3');
    await writeFile(
      at('long.csv'),
      ['height,width,cin,cout,kernel_h,kernel_w', ...rows, '8,8,4,4,3,0'].join('\n'),
    );
    const { exitCode, err } = await alphaflops([
      ...['predict', '--model', at('model.json'), '--data', at('long.csv'), '--out', at('long-pred.csv')],
    ]);
    expect(err).toContain('line 5002, column kernel_w');
    expect(exitCode).toBe(2);
    expect((await readdir(directory)).filter((name) => name.includes('long-pred'))).toEqual([]);
  });

  it('refuse a file that is not a model, and a mistyped command', async () => {
    const notModel = await alphaflops([
      'evaluate',
      '--model',
      at('canonical.csv'),
      '--data',
      at('canonical.csv'),
    ]);
    expect(notModel).toMatchObject({ exitCode: 2, out: '' });
    expect(notModel.err).toMatch(/canonical\.csv: not JSON/);
    await writeFile(at('no-model.json'), '{}');
    const notSource = await alphaflops([
      ...['fit', '--data', at('canonical.csv'), '--source', at('no-model.json'), '--out', at('never.json')],
    ]);
    expect(notSource).toMatchObject({ exitCode: 2, out: '' });
    expect(notSource.err).toMatch(/no-model\.json: not a model document/);
    const mistyped = await alphaflops(['evalute']);
    expect(mistyped.exitCode).toBe(2);
    expect(mistyped.err).toContain('Did you mean evaluate?');
  });
});
