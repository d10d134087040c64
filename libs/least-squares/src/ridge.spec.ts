import fc from 'fast-check';
import { leastSquares } from './least-squares.js';
import { inversePacked, packedDiagonal, packedLength, solvePacked } from './packed.js';
import { ridgeLeastSquares, type RidgeProblem } from './ridge.js';

const xs = Array.from({ length: 40 }, (_, i) => i / 10);
const RIDGE = 0.2;
const LOSS_SCALE = 0.1;
const centre = Float64Array.of(4, 0.5);
const bounds = { lower: Float64Array.of(0, 0), upper: Float64Array.of(10, 3) };
const exact = { maxIterations: 200, tolerance: 1e-12 };

/** y = p₀·exp(−p₁·x) as rows. */
const decay = (ys: readonly number[], change: Partial<RidgeProblem> = {}): RidgeProblem => ({
  rows: Int32Array.from(ys.keys()),
  residualsAt: (p) => {
    const [height = 0, rate = 0] = p;
    const at = (row: number): number => height * Math.exp(-rate * (xs[row] ?? 0));
    return {
      residual: (row) => at(row) - (ys[row] ?? 0),
      linearized: (row, gradient) => {
        gradient[0] = Math.exp(-rate * (xs[row] ?? 0));
        gradient[1] = -(xs[row] ?? 0) * at(row);
        return at(row) - (ys[row] ?? 0);
      },
    };
  },
  ...{ centre, ridge: RIDGE, lossScale: LOSS_SCALE },
  ...bounds,
  ...change,
});

/** The same problem for `leastSquares`, with the ridge as additional residuals. */
const stacked = (ys: readonly number[]) =>
  leastSquares(
    {
      residualCount: ys.length + 2,
      start: centre,
      ...bounds,
      loss: 'soft-l1',
      lossScale: LOSS_SCALE,
      residuals: (p, out) => {
        ys.forEach((y, i) => (out[i] = (p[0] ?? 0) * Math.exp(-(p[1] ?? 0) * (xs[i] ?? 0)) - y));
        centre.forEach((value, j) => (out[ys.length + j] = RIDGE * ((p[j] ?? 0) - value)));
      },
    },
    { tolerance: 1e-10 },
  );

describe('ridgeLeastSquares', () => {
  it('finds the same minimum as leastSquares with the ridge as residuals', () => {
    const noise = fc.array(fc.double({ min: -0.3, max: 0.3, noNaN: true }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(noise, (errors) => {
        const ys = xs.map((x, i) => 5 * Math.exp(-0.7 * x) + (errors[i] ?? 0));
        const result = ridgeLeastSquares(decay(ys), exact);
        const other = stacked(ys);
        expect(result.reason).toBe('converged');
        expect(result.cost).toBeCloseTo(other.cost, 9);
        expect(result.parameters[0]).toBeCloseTo(other.parameters[0] ?? NaN, 3);
        expect(result.parameters[1]).toBeCloseTo(other.parameters[1] ?? NaN, 3);
      }),
      { numRuns: 50 },
    );
  });

  it('is robust against an outlier', () => {
    const ys = xs.map((x) => 5 * Math.exp(-0.7 * x));
    ys[5] = 1000;
    const { parameters } = ridgeLeastSquares(decay(ys), exact);
    expect(parameters[0]).toBeCloseTo(5, 1);
    expect(parameters[1]).toBeCloseTo(0.7, 1);
  });

  it('fits only the given rows, and stays at the centre if the ridge is strong', () => {
    const ys = xs.map((x, i) => (i % 2 === 0 ? 5 * Math.exp(-0.7 * x) : 1000));
    const even = Int32Array.from(xs.keys()).filter((i) => i % 2 === 0);
    const { parameters } = ridgeLeastSquares(decay(ys, { rows: even, ridge: 1e-3 }), exact);
    expect(parameters[0]).toBeCloseTo(5, 3);
    const strong = ridgeLeastSquares(decay(ys, { rows: even, ridge: 1e6 }), exact);
    expect(strong.parameters[0]).toBeCloseTo(4, 3);
  });

  it('never leaves its bounds', () => {
    const ys = xs.map((x) => 5 * Math.exp(-0.7 * x));
    const { parameters } = ridgeLeastSquares(decay(ys, { upper: Float64Array.of(4.5, 3) }), exact);
    expect(parameters[0]).toBe(4.5);
  });

  it('stops at the iteration limit with the best parameters so far and their normal matrix', () => {
    const ys = xs.map((x) => 9 * Math.exp(-2 * x));
    const none = ridgeLeastSquares(decay(ys), { ...exact, maxIterations: 0 });
    const one = ridgeLeastSquares(decay(ys), { ...exact, maxIterations: 1 });
    expect([none.reason, one.reason]).toEqual(['max-iterations', 'max-iterations']);
    expect(one.cost).toBeLessThan(none.cost);
    expect(one.normal).not.toEqual(none.normal);
    expect(one.normal.every((value) => Number.isFinite(value))).toBe(true);
  });

  it.each([
    ['bad-shape', decay([])],
    ['bad-bounds', decay([1], { lower: Float64Array.of(0) })],
    ['bad-bounds', decay([1], { lossScale: 0 })],
  ] as const)('refuses an invalid problem: %s', (code, problem) => {
    expect(() => ridgeLeastSquares(problem, exact)).toThrow(expect.objectContaining({ code }) as Error);
  });
});

describe('packed matrices', () => {
  // [[4, 2, 0], [2, 5, 1], [0, 1, 3]]
  const matrix = Float64Array.of(4, 2, 5, 0, 1, 3);

  it('have their diagonal at the indexes of packedDiagonal', () => {
    expect(packedLength(3)).toBe(6);
    expect([0, 1, 2].map((j) => matrix[packedDiagonal(j)])).toEqual([4, 5, 3]);
  });

  it('are solved by Cholesky factors', () => {
    const x = Float64Array.of(8, 15, 11);
    solvePacked(Float64Array.from(matrix), x);
    [1, 2, 3].forEach((want, j) => {
      expect(x[j]).toBeCloseTo(want, 12);
    });
  });

  it('have an inverse', () => {
    const { roots, correlation } = inversePacked(matrix, 3);
    // the inverse is [[14, −6, 2], [−6, 12, −4], [2, −4, 16]] / 44
    expect(roots[0]).toBeCloseTo(Math.sqrt(14 / 44), 12);
    expect(roots[2]).toBeCloseTo(Math.sqrt(16 / 44), 12);
    expect(correlation[0]?.[1]).toBeCloseTo(-6 / Math.sqrt(14 * 12), 12);
    expect(correlation[1]?.[1]).toBe(1);
  });
});
