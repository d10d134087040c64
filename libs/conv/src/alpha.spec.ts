import fc from 'fast-check';
import { alpha, alphaReference, kernelGroup, PUBLISHED_ALPHA, publishedTimeMs } from './alpha.js';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from './conv-spec.js';

const coefficients = fc.record({
  beta: fc.double({ min: 0, max: 1, noNaN: true }),
  gamma: fc.double({ min: 0, max: 2, noNaN: true }),
});
const points = fc.integer({ min: 1, max: 1_000_000 });
const kernels = fc.integer({ min: 1, max: 400 });

describe('α', () => {
  it('has its reference point at 1 + ln K', () => {
    expect(alphaReference(1)).toBe(1);
    expect(alphaReference(9)).toBeCloseTo(3.1972245773, 9);
  });

  it('gives the values of the formula in the paper', () => {
    // (1 + 0.02·99) / 100 = 0.0298; (3.19722 + 0.001·(10000 − 3.19722)) / 10000 = 0.00131940…
    expect(alpha(100, 1, PUBLISHED_ALPHA['1x1'])).toBeCloseTo(0.0298 ** 0.99, 12);
    expect(alpha(10_000, 9, PUBLISHED_ALPHA.other)).toBeCloseTo(0.001319402735 ** 0.56, 9);
  });

  it('is 1 at the reference point for any coefficients', () => {
    fc.assert(
      fc.property(kernels, coefficients, (k, c) => {
        expect(alpha(alphaReference(k), k, c)).toBeCloseTo(1, 12);
      }),
    );
  });

  it('never grows with S and stays between β^γ and S_K^γ', () => {
    fc.assert(
      fc.property(points, points, kernels, coefficients, (a, b, k, c) => {
        const few = alpha(Math.min(a, b), k, c);
        const many = alpha(Math.max(a, b), k, c);
        expect(many).toBeLessThanOrEqual(few * (1 + 1e-12));
        expect(many).toBeGreaterThanOrEqual(c.beta ** c.gamma * (1 - 1e-12));
        expect(few).toBeLessThanOrEqual(alphaReference(k) ** c.gamma * (1 + 1e-12));
      }),
    );
  });

  it('is above 1 below the reference', () => {
    expect(alpha(1, 9, { beta: 0.001, gamma: 0.56 })).toBeCloseTo((3.1972245773 * 0.999 + 0.001) ** 0.56, 9);
    expect(alpha(1, 9, { beta: 0.001, gamma: 0.56 })).toBeGreaterThan(1);
  });

  it('is 1, that is plain FLOPs, when γ is 0 or β is 1', () => {
    fc.assert(
      fc.property(points, kernels, (s, k) => {
        expect(alpha(s, k, { beta: 0.3, gamma: 0 })).toBe(1);
        expect(alpha(s, k, { beta: 1, gamma: 0.7 })).toBeCloseTo(1, 12);
      }),
    );
  });

  it.each([
    [0, 1, 0.5],
    [Number.NaN, 1, 0.5],
    [1, 0, 0.5],
    [1, 1, -0.1],
    [1, 1, 1.5],
    [1, 1, Number.NaN],
  ])('refuses S = %p, K = %p, β = %p', (s, k, beta) => {
    expect(() => alpha(s, k, { beta, gamma: 1 })).toThrow(RangeError);
  });
});

describe('published time', () => {
  const spec: ConvSpec = {
    ...CONV_SPEC_DEFAULTS,
    height: 10,
    width: 10,
    cin: 100,
    cout: 1000,
    kernel_h: 1,
    kernel_w: 1,
  };

  it('is c·α·M', () => {
    expect(publishedTimeMs(spec)).toBeCloseTo(0.0375 * 0.0298 ** 0.99 * 10, 12);
  });

  it('uses the coefficients of the kernel group', () => {
    expect(kernelGroup(spec)).toBe('1x1');
    expect(kernelGroup({ ...spec, kernel_w: 3 })).toBe('other');
  });
});
