import { CONV_SPEC_DEFAULTS } from '@alphaflops/conv';
import { implausibleTime, plausibleMs } from './plausible-time.js';

const small = { ...CONV_SPEC_DEFAULTS, height: 8, width: 8, cin: 4, cout: 4, kernel_h: 3, kernel_w: 3 };
/** 9.2e12 multiply-adds. */
const large = { ...small, batch: 64, height: 1024, width: 1024, cin: 123, cout: 124 };

describe('times that a convolution can take', () => {
  it.each([
    [small, 0.003],
    [small, 3_000_000],
    [large, 100],
  ])('are accepted', (spec, timeMs) => {
    expect(implausibleTime(spec, timeMs)).toBeNull();
  });

  it.each([
    [small, 1e-300, /shorter than any convolution takes .*are these milliseconds\?/],
    [small, 1e300, /longer than a convolution may take/],
    [small, 0, /must be above 0 ms, not 0/],
    [small, -1, /must be above 0 ms, not -1/],
    [small, NaN, /must be above 0 ms, not NaN/],
    [small, Infinity, /longer than a convolution may take/],
    [large, 0.05, /0\.05 ms for 9\.2e\+12 multiply-adds would be 1\.8e\+17 in a second/],
  ])('%#: others are refused with the reason', (spec, timeMs, reason) => {
    expect(implausibleTime(spec, timeMs)).toMatch(reason);
  });

  it('have one schema that says the same', () => {
    expect(plausibleMs.safeParse(0.003).success).toBe(true);
    expect(plausibleMs.safeParse(1e-160).error?.issues[0]?.message).toMatch(/are these milliseconds\?/);
    expect(plausibleMs.safeParse(1e12).error?.issues[0]?.message).toMatch(/one hour/);
  });
});
