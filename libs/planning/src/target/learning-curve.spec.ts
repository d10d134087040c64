import fc from 'fast-check';
import { LearningCurve, type CurvePoint } from './learning-curve.js';

const SHAPES = [150, 185, 222, 267, 321, 386];

function points(error: (shapes: number) => number, standardError = 0.005): CurvePoint[] {
  return SHAPES.map((shapes) => ({ shapes, medianApe: error(shapes), standardError }));
}

describe('a learning curve', () => {
  it.each([
    { exponent: 0.2, floor: 0 },
    { exponent: 0.35, floor: 0.01 },
    { exponent: 0.5, floor: 0.04 },
  ])('that falls as n^-$exponent to $floor is continued within a factor of 2', ({ exponent, floor }) => {
    const law = (shapes: number) => floor + (0.18 - floor) * (shapes / 150) ** -exponent;
    const curve = new LearningCurve(points(law), floor);
    const target = law(900);
    const { low, median, high } = curve.shapesFor(target);
    expect(median).toBeGreaterThan(900 / 2);
    expect(median).toBeLessThan(900 * 2);
    expect(low).toBeLessThanOrEqual(median ?? NaN);
    expect(high ?? Infinity).toBeGreaterThanOrEqual(median ?? NaN);
  });

  it('never reaches an error below the noise floor', () => {
    const curve = new LearningCurve(
      points((shapes) => 0.2 * (shapes / 150) ** -0.3),
      0.08,
    );
    expect(curve.shapesFor(0.079)).toEqual({ low: null, median: null, high: null });
    expect(curve.errorAt(1e9)).toBeGreaterThanOrEqual(0.08);
  });

  it('falls, and passes near the points', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.15, max: 0.45, noNaN: true }),
        fc.array(fc.double({ min: -0.05, max: 0.05, noNaN: true }), { minLength: 6, maxLength: 6 }),
        (exponent, noise) => {
          const measured = points((shapes) => 0.2 * (shapes / 150) ** -exponent).map((point, i) => ({
            ...point,
            medianApe: point.medianApe * (1 + (noise[i] ?? 0)),
          }));
          const curve = new LearningCurve(measured, 0);
          const at = [150, 386, 1_000, 10_000].map((shapes) => curve.errorAt(shapes));
          expect(at.toSorted((a, b) => b - a)).toEqual(at);
          measured.forEach(({ shapes, medianApe }) => {
            expect(Math.abs(curve.errorAt(shapes) / medianApe - 1)).toBeLessThan(0.2);
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});
