import { CONV_SPEC_DEFAULTS, macs, type ConvSpec } from '@alphaflops/conv';
import { shapeOf } from './shape.js';
import {
  isLogarithmic,
  P,
  PLACE,
  startVector,
  tileWaveParameters,
  valuesOf,
} from './tile-wave-parameters.js';
import { fillRow, ROW, tileWaveGradient, tileWaveMs } from './tile-wave.js';

const spec = (change: Partial<ConvSpec> = {}): ConvSpec => ({
  ...CONV_SPEC_DEFAULTS,
  height: 28,
  width: 28,
  cin: 67,
  cout: 130,
  kernel_h: 3,
  kernel_w: 3,
  ...change,
});
const rowOf = (of: ConvSpec, processors: number): Float64Array => {
  const row = new Float64Array(ROW);
  fillRow(shapeOf(of), processors, row, 0);
  return row;
};
const ms = (of: ConvSpec, processors: number, vector = startVector(processors, 1)): number =>
  tileWaveMs(valuesOf(vector), rowOf(of, processors), 0);

describe('the tile-and-wave formula', () => {
  it.each([
    [132, spec()],
    [132, spec({ cin: 2048, height: 3, width: 3 })],
    [16, spec({ batch: 8, groups: 1, kernel_h: 1, kernel_w: 1, cin: 64, dtype: 'f16' })],
    [1, spec({ kernel_h: 11, kernel_w: 7, height: 100, width: 90 })],
  ] as const)('has the same gradient as finite differences: %i processors, %#', (processors, of) => {
    const row = rowOf(of, processors);
    const vector = startVector(processors, 1).map((value, j) => value + 0.3 * Math.sin(j));
    const gradient = new Float64Array(P);
    const at = tileWaveGradient(valuesOf(vector), row, 0, gradient);
    expect(at).toBeCloseTo(tileWaveMs(valuesOf(vector), row, 0), 12);
    for (let j = 0; j < P; j++) {
      const moved = (h: number) =>
        Math.log(tileWaveMs(valuesOf(vector.with(j, (vector[j] ?? 0) + h)), row, 0));
      expect(gradient[j]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6);
    }
  });

  it('is a sum of launch cost, tiles, bytes and transforms', () => {
    const row = rowOf(spec({ cin: 64, cout: 128 }), 132);
    // one tile shape far cheaper than all others: the soft minimum is that tile
    const values = Float64Array.from(tileWaveParameters(132), ({ name }) => (/^[ab]_/.test(name) ? 1e6 : 0));
    values.set([0.5], PLACE.t0);
    values.set([2e-3], PLACE.a + 1);
    values.set([3e-4], PLACE.b + 1);
    values.set([7], PLACE.m_in);
    // 784 points and 128 channels in 64×64 tiles: 13·2 tiles on 132 processors, 18 steps split in 4.5
    const steps = 18 / (1 + 3.5 / (1 + 0));
    const want = 0.5 + (2e-3 + 3e-4 * steps) + (7 * 4 * 28 * 28 * 64) / 1e6;
    expect(tileWaveMs(values, row, 0)).toBeCloseTo(want, 9);
  });

  it('counts whole waves, the last one half', () => {
    const first = ms(spec({ batch: 64, cin: 512, cout: 512 }), 132);
    const twice = ms(spec({ batch: 128, cin: 512, cout: 512 }), 132);
    expect(twice / first).toBeGreaterThan(1.8);
    expect(twice / first).toBeLessThan(2.1);
  });

  it('slows down for unaligned channels only', () => {
    const vector = startVector(132, 1);
    vector[PLACE.u] = 0.7;
    const slow = (change: Partial<ConvSpec>) => ms(spec(change), 132, vector) / ms(spec(change), 132);
    expect(slow({ cin: 64 })).toBe(1);
    expect(slow({ cin: 65 })).toBeGreaterThan(1.2);
    // 8 elements of f16 are 16 bytes
    expect(slow({ cin: 68, dtype: 'f16' })).toBeGreaterThan(1.2);
    expect(slow({ cin: 72, dtype: 'f16' })).toBe(1);
  });

  it('can be proportional to the work on a serial device', () => {
    const values = Float64Array.from(tileWaveParameters(1), ({ name }) =>
      name === 'b_1x1' ? 1 : /^[ab]_/.test(name) && name !== 'a_1x1' ? 1e9 : 0,
    );
    for (const some of [spec(), spec({ cin: 3, cout: 7 }), spec({ height: 200, kernel_w: 5 })]) {
      expect(tileWaveMs(values, rowOf(some, 1), 0)).toBeCloseTo(macs(some) / 32, 6);
    }
  });

  it('uses logarithms for all parameters except u and v', () => {
    const names = tileWaveParameters(132).map(({ name }) => name);
    expect(names.filter((_, j) => !isLogarithmic(j))).toEqual(['u', 'v']);
    expect(new Set(names).size).toBe(P);
  });
});
