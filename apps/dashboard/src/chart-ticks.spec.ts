import { logTicks } from './chart-ticks.js';

describe('logTicks', () => {
  it.each([
    ['decades', 0.03, 2_000, [0.1, 1, 10, 100, 1000]],
    ['decades from where the axis begins', 13.7, 491_000, [100, 1000, 10_000, 100_000]],
    ['1, 2 and 5 of a short range', 3, 70, [5, 10, 20, 50]],
    ['even steps of a very short range', 1.001, 1.052, [1.01, 1.02, 1.03, 1.04, 1.05]],
  ])('has %s', (_, min, max, ticks) => {
    expect(logTicks(min, max)).toEqual(ticks);
  });

  it('has at least two marks for any range, all within it', () => {
    for (let min = 1e-6; min < 1e6; min *= 7.3) {
      for (const factor of [1.01, 1.3, 2.2, 9, 30, 1e4]) {
        const ticks = logTicks(min, min * factor);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.every((value) => value >= min && value <= min * factor)).toBe(true);
      }
    }
  });
});
