import fc from 'fast-check';
import { nonNegativeLeastSquares } from './non-negative.js';

const distance = (a: Float64Array, b: Float64Array, x: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < b.length; i++) {
    let row = -(b[i] ?? 0);
    for (let j = 0; j < x.length; j++) row += (a[j * b.length + i] ?? 0) * (x[j] ?? 0);
    sum += row * row;
  }
  return Math.sqrt(sum);
};

describe('nonNegativeLeastSquares', () => {
  it('equals plain least squares when that solution is positive', () => {
    const a = Float64Array.of(1, 1, 1, 0, 1, 2);
    const { coefficients, reason } = nonNegativeLeastSquares(a, Float64Array.of(1, 3, 5));
    expect(reason).toBe('converged');
    expect(coefficients[0]).toBeCloseTo(1, 12);
    expect(coefficients[1]).toBeCloseTo(2, 12);
  });

  it('sets a term that would be negative to exactly 0', () => {
    const a = Float64Array.of(1, 1, 1, 0, 1, 2);
    const { coefficients } = nonNegativeLeastSquares(a, Float64Array.of(5, 3, 1));
    expect(coefficients[0]).toBeCloseTo(3, 12);
    expect(coefficients[1]).toBe(0);
  });

  it('satisfies the optimality conditions for any matrix', () => {
    const value = fc.double({ min: -10, max: 10, noNaN: true }).map((x) => Math.round(x * 8) / 8);
    const sizes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 }));
    const problem = sizes.chain(([rows, n]) =>
      fc.tuple(
        fc.array(value, { minLength: rows * n, maxLength: rows * n }),
        fc.array(value, { minLength: rows, maxLength: rows }),
      ),
    );
    fc.assert(
      fc.property(problem, ([matrix, right]) => {
        const [a, b] = [Float64Array.from(matrix), Float64Array.from(right)];
        const { coefficients: x, residualNorm, reason } = nonNegativeLeastSquares(a, b);
        expect(reason).toBe('converged');
        expect(residualNorm).toBeCloseTo(distance(a, b, x), 8);
        x.forEach((value, j) => {
          expect(value).toBeGreaterThanOrEqual(0);
          // gradient of ½‖Ax − b‖²: 0 on positive terms, ≥ 0 on terms that are 0
          let gradient = 0;
          for (let i = 0; i < b.length; i++) {
            let row = -(b[i] ?? 0);
            for (let k = 0; k < x.length; k++) row += (a[k * b.length + i] ?? 0) * (x[k] ?? 0);
            gradient += (a[j * b.length + i] ?? 0) * row;
          }
          expect(gradient).toBeGreaterThanOrEqual(-1e-6);
          if (value > 0) expect(Math.abs(gradient)).toBeLessThan(1e-6);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('refuses sizes that do not fit and values that are not finite', () => {
    expect(() => nonNegativeLeastSquares(Float64Array.of(1, 2, 3), Float64Array.of(1, 2))).toThrow(
      expect.objectContaining({ code: 'bad-shape' }) as Error,
    );
    expect(() => nonNegativeLeastSquares(Float64Array.of(1, NaN), Float64Array.of(1, 2))).toThrow(
      expect.objectContaining({ code: 'not-finite' }) as Error,
    );
  });
});
