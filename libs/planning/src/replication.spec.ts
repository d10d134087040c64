import { FIXED_DESIGNS } from '@alphaflops/contracts';
import { macs, specKey, type ConvSpec } from '@alphaflops/conv';
import { DESIGNS, type Plan, plan, PlanError } from './index.js';

type Experiment = Extract<(typeof FIXED_DESIGNS)[number], `replication-${string}`>;

/** The grid takes a second to plan. */
const made = new Map<Experiment, Plan>();
function whole(name: Experiment): Plan {
  const known = made.get(name) ?? plan({ name }, { specs: 200_000 });
  made.set(name, known);
  return known;
}

const values = (specs: readonly ConvSpec[], axis: 'height' | 'width' | 'cin' | 'cout' | 'kernel_h') =>
  [...new Set(specs.map((spec) => spec[axis]))].sort((a, b) => a - b);

describe('the replication’s experiments', () => {
  it.each([
    ['replication-A', 27],
    ['replication-B', 120],
    ['replication-C', 120],
    ['replication-D', 3 * 649],
    ['replication-E', 3 * 649],
    ['replication-F', 3 * 649],
    ['replication-G', 3 * 999],
    ['replication-grid', 134_540],
  ] as const)('%s has %d different convolutions, the same every time', (name, count) => {
    const { specs, excluded } = whole(name);
    expect(specs).toHaveLength(count);
    expect(excluded).toEqual({});
    expect(plan({ name }, { specs: 40 }).specs).toEqual(specs.slice(0, 40));
  });

  it('are known to campaigns by the same names', () => {
    const endless = DESIGNS.filter((design) => design.endless).map(({ name }) => name);
    expect([...FIXED_DESIGNS, ...endless]).toEqual(DESIGNS.map(({ name }) => name));
  });

  it('A keeps the multiply-adds of one scale equal', () => {
    // 2·100·50, 4·50·50 and 16·25·25 times the square of the scale are one number.
    const work = whole('replication-A').specs.map(macs);
    expect(new Set(work)).toEqual(new Set(Array.from({ length: 9 }, (_, i) => 10_000 * 4 ** i)));
  });

  it('B and C round a half to the even neighbour, as the script does', () => {
    const channels = (kernel: number) =>
      whole('replication-B').specs.flatMap((spec) => (spec.kernel_h === kernel ? [spec.cin] : []));
    // 187.5, 262.5, 375 and 562.5
    expect(channels(8).sort((a, b) => a - b)).toEqual([188, 262, 375, 562]);
    const sides = (kernel: number) =>
      whole('replication-C').specs.flatMap((spec) => (spec.kernel_h === kernel ? [spec.height] : []));
    expect(new Set(sides(24))).toEqual(new Set([12]));
    expect(new Set(sides(8))).toEqual(new Set([38]));
  });

  it.each([
    ['replication-D', { height: [100], cin: [50, 100, 150], cout: [100], kernel_h: [3] }, 'width', 649],
    ['replication-E', { height: [100], width: [100], cin: [50, 100, 150], kernel_h: [3] }, 'cout', 649],
    ['replication-F', { height: [100, 200, 300], width: [100], cin: [50], kernel_h: [1] }, 'cout', 649],
    ['replication-G', { height: [10], width: [10], cout: [1000], kernel_h: [1, 3, 5] }, 'cin', 999],
  ] as const)('%s varies one axis by one, the others hold %j', (name, held, axis, last) => {
    const { specs } = whole(name);
    for (const [other, expected] of Object.entries(held)) {
      expect(values(specs, other as keyof typeof held)).toEqual(expected);
    }
    expect(values(specs, axis)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
  });

  it('the grid is the product of its axes', () => {
    const { specs } = whole('replication-grid');
    const channels = values(specs, 'cin');
    expect(channels).toHaveLength(31);
    expect([channels[0], channels[8], channels[9], channels[28], channels[30]]).toEqual([
      10, 90, 100, 1050, 3200,
    ]);
    expect(values(specs, 'cout')).toEqual(channels);
    expect(values(specs, 'height')).toEqual([1, 2, 4, 8, 16, 32, 64, 96, 128, 256]);
    expect(values(specs, 'kernel_h')).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    expect(
      specs.every(({ height, width, kernel_h, kernel_w }) => height === width && kernel_h === kernel_w),
    ).toBe(true);
  });

  it('a small plan of the grid has every kernel, and every side except at most one', () => {
    const { specs } = plan({ name: 'replication-grid' }, { specs: 200 });
    expect(values(specs, 'kernel_h')).toHaveLength(14);
    expect(values(specs, 'height').length).toBeGreaterThanOrEqual(9);
  });

  it('still gives the same plan', () => {
    expect(plan({ name: 'replication-grid' }, { specs: 2 }).specs.map(specKey)).toMatchInlineSnapshot(`
     [
       "b1-h16-w16-i60-o900-k3x3-s1-g1-f32-same-NCHW",
       "b1-h2-w2-i100-o50-k14x14-s1-g1-f32-same-NCHW",
     ]
    `);
    expect(plan({ name: 'replication-B' }, { specs: 2 }).specs.map(specKey)).toMatchInlineSnapshot(`
     [
       "b1-h10-w10-i50-o50-k30x30-s1-g1-f32-same-NCHW",
       "b1-h10-w10-i250-o250-k6x6-s1-g1-f32-same-NCHW",
     ]
    `);
  });

  it('is left out and counted if it does not fit the device', () => {
    const memoryBytes = 1e9;
    const { specs, excluded } = plan({ name: 'replication-grid' }, { specs: 200_000, memoryBytes });
    expect(specs.length + (excluded.memory ?? 0)).toBe(134_540);
    expect(excluded.memory).toBeGreaterThan(1000);
    expect(() => plan({ name: 'replication-A' }, { specs: 30, memoryBytes: 10 })).toThrow(PlanError);
  });
});
