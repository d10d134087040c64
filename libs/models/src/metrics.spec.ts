import { conformalQuantile } from './interval.js';
import { judge } from './metrics.js';

const pairs = (measurements: readonly number[], predictions: readonly number[], half: number | null = null) =>
  measurements.map((measured, i) => {
    const predicted = predictions[i] ?? NaN;
    return {
      measured,
      predicted,
      lower: half === null ? null : predicted - half,
      upper: half === null ? null : predicted + half,
    };
  });

describe('judge', () => {
  it('gives the values worked out by hand', () => {
    const metrics = judge(pairs([1, 2, 4, 10], [1.05, 2.3, 3, 10], 0.3));
    // errors 5 %, 15 %, 25 %, 0 %
    expect(metrics.n).toBe(4);
    expect(metrics.mape).toBeCloseTo(0.1125, 12);
    expect(metrics.medianApe).toBeCloseTo(0.1, 12);
    expect(metrics.within10).toBe(0.5);
    expect(metrics.within20).toBe(0.75);
    expect(metrics.rmspe).toBeCloseTo(Math.sqrt((0.0025 + 0.0225 + 0.0625) / 4), 12);
    // mean 4.25, TSS 48.75, RSS 0.0025 + 0.09 + 1
    expect(metrics.r2).toBeCloseTo(1 - 1.0925 / 48.75, 12);
    expect(metrics.spearman).toBe(1);
    expect(metrics.coverage).toBe(0.75);
  });

  it('gives the rank correlation with ties sharing their mean rank', () => {
    // ranks 1 2.5 2.5 4 against 4 2 3 1: Σ = (−1.5·1.5) + 0 + 0 + (1.5·−1.5) = −4.5 over √(4.5·5)
    expect(judge(pairs([1, 2, 2, 3], [9, 5, 6, 1])).spearman).toBeCloseTo(-4.5 / Math.sqrt(22.5), 12);
  });

  it('has no R² of equal times and no coverage without an interval', () => {
    expect(judge(pairs([2, 2], [1, 3]))).toMatchObject({
      r2: null,
      r2Log: null,
      spearman: null,
      coverage: null,
    });
  });
});

describe('conformal quantile', () => {
  it('is the ⌈(n + 1)·coverage⌉th smallest error', () => {
    expect(conformalQuantile([5, 1, 4, 2, 3, 9, 8, 7, 6], 0.9)).toBe(9);
    expect(
      conformalQuantile(
        Array.from({ length: 99 }, (_, i) => i + 1),
        0.9,
      ),
    ).toBe(90);
  });

  it('does not exist for fewer errors than the coverage needs', () => {
    expect(conformalQuantile([1, 2, 3, 4, 5, 6, 7, 8], 0.9)).toBeNull();
    expect(conformalQuantile([], 0.5)).toBeNull();
  });
});
