import { CONV_SPEC_DEFAULTS, type ConvSpec, kernelGroup, macs } from '@alphaflops/conv';
import type { Point } from '../samples.js';
import { along, longestSeries, valueOf } from './axes.js';

const base: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  ...{ height: 16, width: 16, cin: 8, cout: 8, kernel_h: 3, kernel_w: 3 },
};
const pointOf = (spec: ConvSpec): Point => ({
  spec,
  timeMs: 1,
  energyMillijoules: null,
  macs: macs(spec),
  group: kernelGroup(spec),
});
const domain = { height: { min: 1, max: 64 }, cin: { min: 1, max: 100 }, cout: { min: 1, max: 100 } };

describe('longestSeries', () => {
  it('finds the shapes that differ along one axis only', () => {
    const short = [1, 2, 3, 4].map((cin) => pointOf({ ...base, cout: 99, cin }));
    const long = [1, 2, 4, 8, 16].map((cin) => pointOf({ ...base, cin }));
    const series = longestSeries([...short, ...long], 'cin', domain);
    expect(series?.measured.map(({ spec }) => spec.cin)).toEqual([1, 2, 4, 8, 16]);
    expect([series?.values[0], series?.values.at(-1)]).toEqual([1, 16]);
  });

  it('counts values, not samples: repeats are no series', () => {
    const repeats = Array.from({ length: 9 }, () => pointOf(base));
    expect(longestSeries(repeats, 'cin', domain)?.measured).toEqual([]);
  });

  it('draws a typical shape over the fitted range where there is no series', () => {
    const points = [2, 8, 64].map((cout) => pointOf({ ...base, cout, cin: cout }));
    const series = longestSeries(points, 'size', domain);
    expect(series).toMatchObject({ measured: [], base: { cout: 8 } });
    expect([series?.values[0], series?.values.at(-1)]).toEqual([1, 64]);
  });

  it('leaves grouped shapes out of the channels, and knows nothing without points', () => {
    const grouped = [4, 8, 16, 32].map((cin) => pointOf({ ...base, cin, cout: 32, groups: 4 }));
    expect(longestSeries(grouped, 'cin', domain)).toBeNull();
    expect(longestSeries([], 'size', domain)).toBeNull();
  });

  it('varies both sides of size and kernel', () => {
    expect(along(base, 'size', 7)).toMatchObject({ height: 7, width: 7 });
    expect(along(base, 'kernel', 5)).toMatchObject({ kernel_h: 5, kernel_w: 5 });
    expect(valueOf(along(base, 'cout', 9), 'cout')).toBe(9);
  });
});
