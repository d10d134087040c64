import { CONV_SPEC_DEFAULTS, macs, specKey, type ConvSpec } from '@alphaflops/conv';
import fc from 'fast-check';
import { chooseNext, plan } from '../index.js';
import { Cover, pickGreedily } from './cover.js';
import { coordinatesOf } from './shape-space.js';
import { Draws } from '../draws.js';

const shapes = plan({ name: 'networklike', seed: 11 }, { specs: 600 }).specs;
const options = { count: 40, seed: 1, device: {} };
const keys = (specs: readonly ConvSpec[]) => specs.map(specKey);

function spec(part: Partial<ConvSpec>): ConvSpec {
  const shape = { height: 14, width: 14, cin: 64, cout: 64, kernel_h: 3, kernel_w: 3 };
  return { ...CONV_SPEC_DEFAULTS, ...shape, ...part };
}

/** Mean distance from all shapes to the nearest of the given ones. */
function meanDistance(to: readonly ConvSpec[]): number {
  const near = to.map(coordinatesOf);
  const sum = shapes.map(coordinatesOf).reduce((total, point) => {
    const squares = near.map((other) => other.reduce((s, x, k) => s + (x - (point[k] ?? 0)) ** 2, 0));
    return total + Math.sqrt(Math.min(...squares));
  }, 0);
  return sum / shapes.length;
}

describe('choosing with nothing measured', () => {
  const chosen = chooseNext([], shapes, options);

  it('takes different candidates, and always the same ones', () => {
    expect(chosen).toHaveLength(40);
    expect(new Set(keys(chosen)).size).toBe(40);
    const known = new Set(keys(shapes));
    expect(keys(chosen).every((key) => known.has(key))).toBe(true);
    expect(chooseNext([], shapes, options)).toEqual(chosen);
  });

  it('covers all shapes better than 50 % more shapes drawn at random', () => {
    const drawn = new Draws(3).shuffled(shapes);
    expect(meanDistance(chosen)).toBeLessThan(meanDistance(drawn.slice(0, 40)));
    expect(meanDistance(chosen)).toBeLessThan(meanDistance(drawn.slice(40, 100)));
  });

  it('takes all candidates when there are fewer than requested', () => {
    expect(keys(chooseNext([], shapes.slice(0, 7), options)).sort()).toEqual(keys(shapes.slice(0, 7)).sort());
  });
});

describe('choosing after measuring', () => {
  it.each([30, 260])(
    'chooses in regions without measurements, with %d shapes measured elsewhere',
    (count) => {
      const small = Array.from({ length: count }, (_, i) => spec({ cin: 20 + i }));
      const large = Array.from({ length: 30 }, (_, i) => spec({ cin: 1500 + 8 * i, cout: 1024 }));
      const measured = small.map((one) => ({ spec: one, timeMs: macs(one) / 1e9 }));
      const candidates = [...small.slice(0, 30).map((one) => ({ ...one, cout: 72 })), ...large];
      const chosen = chooseNext(measured, candidates, { ...options, count: 3 });
      expect(chosen).toHaveLength(3);
      expect(chosen[0]?.cin).toBeGreaterThanOrEqual(1500);
    },
  );

  it('does not depend on the order of the samples', () => {
    const measured = shapes.slice(0, 60).map((one) => ({ spec: one, timeMs: macs(one) / 1e9 + 0.01 }));
    const rest = shapes.slice(60);
    const chosen = chooseNext(measured, rest, options);
    expect(chooseNext(measured.toReversed(), rest, options)).toEqual(chosen);
    expect(chooseNext(measured, rest, { ...options, seed: 2 })).not.toEqual(chosen);
  });
});

describe('the cover', () => {
  it('reports the gain of a shape, which falls as shapes are added', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(shapes.length - 1), { minLength: 3, maxLength: 12 }), (indices) => {
        const [probe, ...added] = indices.map((i) => coordinatesOf(shapes[i] ?? spec({})));
        const cover = new Cover(shapes.slice(0, 100));
        let before = Infinity;
        for (const shape of added) {
          const gain = cover.gain(probe ?? new Float64Array());
          expect(gain).toBeGreaterThanOrEqual(0);
          expect(gain).toBeLessThanOrEqual(before + 1e-9);
          before = gain;
          cover.add(shape);
          expect(cover.gain(shape)).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('prefers a shape that is near to many targets', () => {
    const [few, many] = [spec({ cin: 8 }), spec({ cin: 1024 })];
    const targets = [few, many, { ...many, cin: 1032 }];
    expect(pickGreedily(new Cover(targets), [few, many], 1, new Draws(1))).toEqual([many]);
    expect(pickGreedily(new Cover([...targets, few, few]), [few, many], 1, new Draws(1))).toEqual([few]);
  });
});
