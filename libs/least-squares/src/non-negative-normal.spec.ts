import { nonNegativeLeastSquares } from './non-negative.js';
import { NonNegativeNormal } from './non-negative-normal.js';

const N = 6;
const ROWS = 40;

/** Columns of very different sizes. If `dependent`, the last column is the sum of two others. */
function problem(seed: number, dependent: boolean): { a: Float64Array; b: Float64Array } {
  let state = seed;
  // A linear congruential generator is random enough for matrices.
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.3;
  };
  const a = Float64Array.from({ length: N * ROWS }, (_, k) => uniform() * 10 ** ((k / ROWS) | 0));
  if (dependent) {
    for (let r = 0; r < ROWS; r++) a[(N - 1) * ROWS + r] = (a[r] ?? 0) + (a[ROWS + r] ?? 0);
  }
  return { a, b: Float64Array.from({ length: ROWS }, uniform) };
}

function normalOf({ a, b }: { a: Float64Array; b: Float64Array }) {
  const gram = new Float64Array(N * N);
  const right = new Float64Array(N);
  for (let i = 0; i < N; i++) {
    for (let r = 0; r < ROWS; r++) {
      right[i] = (right[i] ?? 0) + (a[i * ROWS + r] ?? 0) * (b[r] ?? 0);
      for (let j = 0; j <= i; j++) {
        gram[i * N + j] = (gram[i * N + j] ?? 0) + (a[i * ROWS + r] ?? 0) * (a[j * ROWS + r] ?? 0);
      }
    }
  }
  return { gram, right };
}

const costOf = ({ a, b }: { a: Float64Array; b: Float64Array }, x: ArrayLike<number>): number => {
  let cost = 0;
  for (let r = 0; r < ROWS; r++) {
    let rest = -(b[r] ?? 0);
    for (let j = 0; j < N; j++) rest += (a[j * ROWS + r] ?? 0) * (x[j] ?? 0);
    cost += rest * rest;
  }
  return cost;
};

describe('non-negative least squares from normal equations', () => {
  const solver = new NonNegativeNormal(N);
  const seeds = Array.from({ length: 25 }, (_, k) => k + 1);

  it.each(seeds)('agrees with the QR solver: %i', (seed) => {
    const given = problem(seed, false);
    const { gram, right } = normalOf(given);
    const x = new Float64Array(N);
    solver.solve(gram, right, x);
    const { coefficients } = nonNegativeLeastSquares(given.a, given.b);
    const scale = (value: number, j: number): number => value * 10 ** j;
    coefficients.forEach((value, j) => {
      expect(scale(x[j] ?? NaN, j)).toBeCloseTo(scale(value, j), 7);
    });
    expect(x.every((value) => value >= 0)).toBe(true);
  });

  it.each(seeds.slice(0, 8))('has the same cost when columns depend on each other: %i', (seed) => {
    const given = problem(seed, true);
    const { gram, right } = normalOf(given);
    const x = new Float64Array(N);
    solver.solve(gram, right, x);
    const { coefficients } = nonNegativeLeastSquares(given.a, given.b);
    expect(costOf(given, x)).toBeLessThan(costOf(given, coefficients) * (1 + 1e-6) + 1e-12);
  });

  it('bounds the cost from below', () => {
    for (const seed of seeds) {
      const given = problem(seed, false);
      const { gram, right } = normalOf(given);
      const x = new Float64Array(N);
      solver.solve(gram, right, x);
      const bound = costOf(given, new Float64Array(N)) + solver.bound(gram, right);
      expect(bound).toBeLessThanOrEqual(costOf(given, x) * (1 + 1e-9));
    }
  });

  it('gives 0 for columns of zeros', () => {
    const x = new Float64Array(N).fill(7);
    solver.solve(new Float64Array(N * N), new Float64Array(N), x);
    expect([...x]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
