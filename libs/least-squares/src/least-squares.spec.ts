import fc from 'fast-check';
import { LeastSquaresError } from './error.js';
import { leastSquares, type LeastSquaresProblem } from './least-squares.js';
import type { Loss } from './loss.js';

const xs = Array.from({ length: 40 }, (_, i) => i / 10);
/** y = p₀·exp(−p₁·x). By default, the data are exact for (5, 0.7). */
const decay = (change: Partial<LeastSquaresProblem> = {}, data = xs.map((x) => 5 * Math.exp(-0.7 * x))) => ({
  residualCount: xs.length,
  start: [1, 0.1],
  residuals: (p: Float64Array, out: Float64Array) => {
    xs.forEach((x, i) => (out[i] = (p[0] ?? 0) * Math.exp(-(p[1] ?? 0) * x) - (data[i] ?? 0)));
  },
  ...change,
});
const line = (ys: readonly number[], change: Partial<LeastSquaresProblem> = {}): LeastSquaresProblem => ({
  residualCount: ys.length,
  start: [0, 0],
  residuals: (p, out) => {
    ys.forEach((y, i) => (out[i] = (p[0] ?? 0) + (p[1] ?? 0) * i - y));
  },
  ...change,
});

describe('leastSquares', () => {
  it('finds exact parameters, with an analytic Jacobian too', () => {
    const analytic = leastSquares(
      decay({
        jacobian: (p, out) => {
          xs.forEach((x, i) => {
            const e = Math.exp(-(p[1] ?? 0) * x);
            out[i] = e;
            out[xs.length + i] = -(p[0] ?? 0) * x * e;
          });
        },
      }),
    );
    for (const result of [analytic, leastSquares(decay())]) {
      expect(result.reason).toBe('converged');
      expect(result.parameters[0]).toBeCloseTo(5, 8);
      expect(result.parameters[1]).toBeCloseTo(0.7, 8);
    }
  });

  it('gives the textbook standard errors of a straight line', () => {
    // ys = 1, 3, 2, 5 at 0…3: slope 1.1, intercept 1.1, RSS 2.7, s² = 1.35, Sxx = 5
    const result = leastSquares(line([1, 3, 2, 5]));
    expect(result.parameters[0]).toBeCloseTo(1.1, 7);
    expect(result.parameters[1]).toBeCloseTo(1.1, 7);
    expect(result.standardErrors[1]).toBeCloseTo(Math.sqrt(1.35 / 5), 7);
    expect(result.standardErrors[0]).toBeCloseTo(Math.sqrt(1.35 * (1 / 4 + 1.5 ** 2 / 5)), 7);
    expect(result.correlation[0]?.[1]).toBeCloseTo(-1.5 / Math.sqrt(14 / 4), 7);
    expect(result.cost).toBeCloseTo(1.35, 9);
  });

  it('has no standard errors without degrees of freedom', () => {
    const result = leastSquares(line([1, 3]));
    expect(result.reason).toBe('converged');
    expect(result.standardErrors).toEqual([null, null]);
  });

  it('never leaves its bounds, and reports the parameter that is on a bound', () => {
    const seen: number[] = [];
    const inner = decay();
    const result = leastSquares({
      ...inner,
      lower: [0, 0],
      upper: [4, 10],
      residuals: (p, out) => {
        seen.push(p[0] ?? NaN);
        inner.residuals(p, out);
      },
    });
    expect(Math.max(...seen)).toBeLessThanOrEqual(4);
    expect(result.reason).toBe('converged');
    expect(result.parameters[0]).toBe(4);
    expect(result.states).toEqual(['on-bound', 'estimated']);
    expect(result.standardErrors[0]).toBeNull();
    expect(result.standardErrors[1]).toBeGreaterThan(0);
  });

  it('leaves a bound again when the minimum is inside', () => {
    const result = leastSquares(decay({ start: [10, 0], lower: [0, 0], upper: [10, 3] }));
    expect(result.parameters[0]).toBeCloseTo(5, 7);
    expect(result.states).toEqual(['estimated', 'estimated']);
  });

  it('keeps a parameter with equal bounds', () => {
    const result = leastSquares(decay({ lower: [0, 0.5], upper: [10, 0.5] }));
    expect(result.parameters[1]).toBe(0.5);
    expect(result.states[1]).toBe('fixed');
  });

  it('moves a start outside the bounds into them', () => {
    const result = leastSquares(decay({ start: [-7, 99], lower: [0, 0], upper: [10, 3] }));
    expect(result.parameters[0]).toBeCloseTo(5, 7);
  });

  it('agrees with a search over all active sets for bounded linear problems', () => {
    const value = fc.double({ min: -5, max: 5, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 5, maxLength: 5 }), (ys) => {
        const result = leastSquares(line(ys, { lower: [-1, -0.5], upper: [1, 0.5] }));
        for (const [a, b] of [
          [0, 0],
          [1, 0.5],
          [-1, -0.5],
          [1, -0.5],
          [-1, 0.5],
          [result.parameters[0] ?? 0, 0],
          [0, result.parameters[1] ?? 0],
        ] as const) {
          const other = ys.reduce((sum, y, i) => sum + (a + b * i - y) ** 2, 0) / 2;
          expect(result.cost).toBeLessThanOrEqual(other + 1e-9);
        }
      }),
    );
  });

  it('soft L1 is robust against an outlier', () => {
    const data = xs.map((x, i) => 5 * Math.exp(-0.7 * x) + 0.001 * Math.sin(7 * i));
    data[5] = 1000;
    const error = (kind: Loss): number => {
      const { parameters } = leastSquares(decay({ loss: kind, lossScale: 0.01 }, data));
      return Math.abs((parameters[0] ?? 0) - 5);
    };
    expect(error('soft-l1')).toBeLessThan(0.01);
    expect(error('linear')).toBeGreaterThan(1);
  });

  it('a robust loss with a wide scale equals the linear loss, including standard errors', () => {
    const ys = [1, 3, 2, 5, 4, 7];
    const linear = leastSquares(line(ys));
    const robust = leastSquares(line(ys, { loss: 'soft-l1', lossScale: 1e5 }));
    expect(robust.parameters[1]).toBeCloseTo(linear.parameters[1] ?? NaN, 6);
    expect(robust.standardErrors[1]).toBeCloseTo(linear.standardErrors[1] ?? NaN, 6);
  });

  it('reports singular, and the parameters, when two parameters have the same effect', () => {
    const result = leastSquares({
      residualCount: 10,
      start: [1, 1, 1],
      residuals: (p, out) => {
        for (let i = 0; i < 10; i++) {
          out[i] = (p[0] ?? 0) * (p[1] ?? 0) * i + (p[2] ?? 0) - (6 * i + 2 + Math.sin(i) / 10);
        }
      },
    });
    expect(result.reason).toBe('singular');
    expect(result.states).toEqual(['undetermined', 'undetermined', 'estimated']);
    expect(result.rank).toBe(2);
    expect((result.parameters[0] ?? 0) * (result.parameters[1] ?? 0)).toBeCloseTo(6, 1);
    expect(result.standardErrors[0]).toBeNull();
    expect(result.standardErrors[2]).toBeGreaterThan(0);
  });

  it('stops at the iteration limit with the best parameters so far', () => {
    const start = leastSquares(decay(), { maxIterations: 0 });
    const some = leastSquares(decay(), { maxIterations: 2 });
    expect(some.reason).toBe('max-iterations');
    expect(some.cost).toBeLessThan(start.cost);
  });

  it('avoids regions where the residuals are not finite', () => {
    const result = leastSquares({
      residualCount: 3,
      start: [100],
      residuals: (p, out) => {
        for (let i = 0; i < 3; i++) out[i] = Math.log(p[0] ?? NaN) - Math.log(0.01);
      },
    });
    expect(result.reason).toBe('converged');
    expect(result.parameters[0]).toBeCloseTo(0.01, 8);
  });

  it('gives the same bytes twice', () => {
    const [a, b] = [leastSquares(decay()), leastSquares(decay())];
    expect(Array.from(a.parameters)).toEqual(Array.from(b.parameters));
  });

  it.each([
    ['bad-shape', decay({ residualCount: 0 })],
    ['bad-bounds', decay({ lower: [0] })],
    ['bad-bounds', decay({ lower: [2, 0], upper: [1, 1] })],
    ['bad-bounds', decay({ loss: 'soft-l1', lossScale: 0 })],
    ['not-finite', decay({ start: [NaN, 1] })],
  ] as const)('refuses an invalid problem: %s', (code, problem) => {
    expect(() => leastSquares(problem)).toThrow(LeastSquaresError);
    expect(() => leastSquares(problem)).toThrow(expect.objectContaining({ code }) as Error);
  });
});
