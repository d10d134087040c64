import { CONV_SPEC_DEFAULTS, macs, specKey, type ConvSpec } from '@alphaflops/conv';
import type { FitSample } from '@alphaflops/models';
import { PlanError, simulate, splitForSimulation, type SimulateOptions } from '../index.js';
import { Draws } from '../draws.js';

/**
 * Nine of ten shapes are nearly equal, and a few samples describe them. The tenth is spread over kernels and channels. Its time
 * per multiply-add differs between kernels and changes at 256 input channels, so that each part must be measured. A design
 * that follows the distribution of the data spends nine of ten samples on shapes that are already known.
 */
function law(count: number): FitSample[] {
  const draws = new Draws(9);
  return Array.from({ length: count }, (_, i) => {
    const common = i % 10 > 0;
    const kernel = common ? 3 : draws.oneOf([1, 2, 4, 5, 7]);
    const spec: ConvSpec = {
      ...CONV_SPEC_DEFAULTS,
      height: common ? 56 : draws.oneOf([7, 14, 28, 56]),
      width: common ? draws.integer(50, 60) : 28,
      cin: common ? draws.integer(60, 70) : draws.logInteger(8, 1024),
      cout: common ? draws.integer(60, 70) : draws.logInteger(8, 1024),
      kernel_h: kernel,
      kernel_w: kernel,
    };
    const factor = common ? 1 : kernel * (spec.cin > 256 ? 4 : 1);
    return { spec, timeMs: 0.005 + (factor * macs(spec)) / 1e9 };
  });
}

const { pool, test } = splitForSimulation(law(2000));
const run = (part: Partial<SimulateOptions>) =>
  simulate(pool, test, {
    design: 'networklike',
    budget: 160,
    seed: 1,
    rounds: 3,
    device: { smCount: 16 },
    ...part,
  });

describe('the replay of a data set', () => {
  it('computes errors on one shape in five, which no design may choose', () => {
    const poolKeys = new Set(pool.map(({ spec }) => specKey(spec)));
    expect(test.filter(({ spec }) => poolKeys.has(specKey(spec)))).toEqual([]);
    expect(test.length / (pool.length + test.length)).toBeGreaterThan(0.17);
    expect(test.length / (pool.length + test.length)).toBeLessThan(0.23);
  });

  it.each(['random', 'networklike', 'adaptive'] as const)(
    'reports the errors of %s, which are the same each time',
    (design) => {
      const curve = run({ design, budget: 60, rounds: 2 });
      expect(curve.map(({ shapes }) => shapes)).toEqual([15, 60]);
      expect(curve.every(({ metrics }) => metrics.n === test.length && metrics.medianApe > 0)).toBe(true);
      expect(run({ design, budget: 60, rounds: 2 })).toEqual(curve);
    },
  );

  it('reaches the error of the distribution of the data with half the samples by adaptive choice', () => {
    const adaptive = run({ design: 'adaptive' }).at(-1);
    const drawn = run({ budget: 320 }).at(-1);
    expect(adaptive?.shapes).toBe(160);
    expect(drawn?.shapes).toBe(320);
    expect(adaptive?.metrics.mape).toBeLessThan(drawn?.metrics.mape ?? 0);
  }, 60_000);

  it('refuses a budget larger than the data, and an empty part', () => {
    expect(() => run({ budget: 5000 })).toThrow(PlanError);
    expect(() => simulate(pool, [], { design: 'random', budget: 5, seed: 1, rounds: 1, device: {} })).toThrow(
      'there are no test samples',
    );
  });
});
