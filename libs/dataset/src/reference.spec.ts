import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { specKey } from '@alphaflops/conv';
import { fitInputDigest, readAllSamples, readSpecs } from './index.js';

const folder = join(import.meta.dirname, '../../../../shared/data');
const whenPresent = existsSync(folder) ? describe : describe.skip;

whenPresent('published data (skipped where the folder with the reference data is absent)', () => {
  const read = (file: string) => readAllSamples(createReadStream(join(folder, file)), file);

  it.each([
    ['asperti-2021-quadro-t2000.csv', 721],
    ['h100-energy.csv', 66],
    ['h100-random-kernels.csv', 9218],
    ['h100-fine-sweeps.csv', 1298],
    ['h100-networklike.csv', 13_789],
    ['h100-paper-series.csv', 714],
    ['h100-random-f16.csv', 1418],
    ['h100-random-repeat.csv', 300],
    ['h100-random.csv', 9218],
  ])(
    'reads %s',
    async (file, n) => {
      const rows = await read(file);
      expect(rows).toHaveLength(n);
      const keys = [];
      for await (const { spec } of readSpecs(createReadStream(join(folder, file)), file))
        keys.push(specKey(spec));
      expect(keys).toEqual(rows.map(({ spec }) => specKey(spec)));
    },
    30_000,
  );

  it('reads the authors’ batch series as dense layers', async () => {
    const rows = await read('asperti-2021-quadro-t2000.csv');
    const batched = rows.filter(({ spec }) => spec.batch > 1);
    // 131 rows in the series, four of them with batch 1.
    expect(batched).toHaveLength(127);
    expect(batched.every(({ spec }) => spec.height === 1 && spec.width === 1 && spec.cin >= 6400)).toBe(true);
  });

  it('keeps the kernel and its workspace, with times and without', async () => {
    const [, second] = await read('h100-random-kernels.csv');
    const known = { kernel: 'eng35_k2=1_k5=2_k14=5', workspace_bytes: 31_650_768 };
    expect(second).toMatchObject({ spec: { height: 266 }, timeMs: 0.629056, extras: known });
    const labels = 'h100-kernel-labels.csv';
    for await (const { extras } of readSpecs(createReadStream(join(folder, labels)), labels)) {
      expect(extras).toEqual({
        kernel: 'eng67_k2=18_k13=0_k18=0_k25=1_k27=8_k28=1',
        workspace_bytes: 137_451_667,
      });
      break;
    }
  });

  it('keeps energy, time and clock', async () => {
    const [first] = await read('h100-energy.csv');
    expect(first).toMatchObject({
      spec: { height: 146, cout: 529 },
      timeMs: 0.0220841743929363,
      extras: { energy_mj: 14.88755518763797, sm_clock_mhz: 1980 },
    });
  });
});

describe('the bundled sample', () => {
  const sample = join(import.meta.dirname, '../../../data/sample-h100');
  const text = readFileSync(join(sample, 'h100-networklike-1000.csv'), 'utf8');
  const card = readFileSync(join(sample, 'README.md'), 'utf8');

  it('agrees with its card', async () => {
    const rows = await readAllSamples(text, 'h100-networklike-1000.csv');
    expect(new Set(rows.map(({ spec }) => specKey(spec))).size).toBe(1000);
    expect(rows.filter(({ spec }) => spec.dtype === 'f16')).toHaveLength(114);
    expect(card).toContain(createHash('sha256').update(text).digest('hex'));
    expect(card).toContain(fitInputDigest(rows));
  });
});
