import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { macs, type ConvSpec } from '@alphaflops/conv';
import { PAPER_SERIES, plan } from './index.js';

const folder = join(import.meta.dirname, '../../../../shared/data');
const whenPresent = existsSync(folder) ? describe : describe.skip;

type Row = Record<string, string>;

function rows(file: string): Row[] {
  const [header = '', ...lines] = readFileSync(join(folder, file), 'utf8').trim().split('\n');
  const columns = header.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [columns[i], cell])) as Row);
}

function measured(file: string): ConvSpec[] {
  return rows(file).map(({ dtype = '', ...axes }) => ({
    ...(Object.fromEntries(
      Object.entries(axes).map(([name, cell]) => [name, Number(cell)]),
    ) as unknown as ConvSpec),
    dtype: dtype as ConvSpec['dtype'],
    padding: 'same',
  }));
}

/** Largest difference between the two cumulative distributions of one number (Kolmogorov and Smirnov). */
function distance(
  ours: readonly ConvSpec[],
  theirs: readonly ConvSpec[],
  of: (spec: ConvSpec) => number,
): number {
  const [a, b] = [ours, theirs].map((specs) => specs.map(of).sort((x, y) => x - y)) as [number[], number[]];
  const below = (sorted: number[], value: number) =>
    sorted.filter((other) => other <= value).length / sorted.length;
  return Math.max(...[...new Set(b)].map((value) => Math.abs(below(a, value) - below(b, value))));
}

whenPresent('the paper’s data (skipped where the folder with the reference data is absent)', () => {
  it('has exactly the generated series', () => {
    const theirs = rows('asperti-2021-quadro-t2000.csv').map((row) => {
      const dense = row['series'] === 'increasing_batch';
      const [batch, height] = dense ? [row['H'], 1] : [1, row['H']];
      return `${row['series']} ${batch} ${height} ${row['W']} ${row['Cin']} ${row['Cout']} ${row['K1']} ${row['K2']}`;
    });
    const ours = Object.entries(PAPER_SERIES).flatMap(([name, shapes]) =>
      shapes.map(
        ({ batch, height, width, cin, cout, kernel_h, kernel_w }) =>
          `${name} ${batch} ${height} ${width} ${cin} ${cout} ${kernel_h} ${kernel_w}`,
      ),
    );
    expect(ours.sort()).toEqual(theirs.sort());
  });

  it('has the shapes that were measured again on an H100', () => {
    const shape = ({ batch, height, width, cin, cout, kernel_h, kernel_w }: ConvSpec) =>
      [batch, height, width, cin, cout, kernel_h, kernel_w].join();
    const { specs, excluded } = plan({ name: 'paper-series' }, { specs: 1000 });
    expect(specs.map(shape).sort()).toEqual(measured('h100-paper-series.csv').map(shape).sort());
    expect(excluded).toEqual({ duplicate: 7 });
  });
});

whenPresent('the measured campaigns (skipped where the folder with the reference data is absent)', () => {
  const axes = [
    'batch',
    'height',
    'width',
    'cin',
    'cout',
    'kernel_h',
    'kernel_w',
    'stride',
    'groups',
  ] as const;

  it.each([
    ['random', 'h100-random.csv'],
    ['networklike', 'h100-networklike.csv'],
  ] as const)('%s has the marginal distributions of %s', (name, file) => {
    const theirs = measured(file).slice(0, 4000);
    const ours = plan({ name }, { specs: 4000 }).specs;
    const far = [
      ...axes.map((axis) => [axis, (spec: ConvSpec) => spec[axis]] as const),
      ['macs', macs] as const,
    ]
      .map(([axis, of]) => ({ axis, distance: distance(ours, theirs, of) }))
      // The 99.9 % point of the distance between two samples of 4,000 from one distribution is 0.044.
      .filter((one) => one.distance > 0.044);
    expect(far).toEqual([]);
  });

  it('square, depthwise and grouped shapes are as frequent', () => {
    const share = (specs: readonly ConvSpec[], holds: (spec: ConvSpec) => boolean) =>
      specs.filter(holds).length / specs.length;
    const theirs = measured('h100-networklike.csv');
    const ours = plan({ name: 'networklike' }, { specs: 10_000 }).specs;
    for (const holds of [
      ({ height, width }: ConvSpec) => height === width,
      ({ kernel_h, kernel_w }: ConvSpec) => kernel_h === kernel_w,
      ({ groups, cin }: ConvSpec) => groups > 1 && groups === cin,
      ({ groups, cin }: ConvSpec) => groups > 1 && groups < cin,
      ({ cin }: ConvSpec) => cin % 8 === 0,
    ]) {
      expect(Math.abs(share(ours, holds) - share(theirs, holds))).toBeLessThan(0.01);
    }
  });
});
