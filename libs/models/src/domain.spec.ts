import { CONV_SPEC_DEFAULTS, macs, type ConvSpec } from '@alphaflops/conv';
import { compileDomain, domainOf } from './domain.js';
import { randomShapes } from './random-shapes.spec-helper.js';
import { shapeSamples } from './sample.js';

const spec = (size: number, channels: number): ConvSpec => ({
  ...CONV_SPEC_DEFAULTS,
  height: size,
  width: size,
  cin: channels,
  cout: channels,
  kernel_h: 3,
  kernel_w: 3,
});

describe('the domain', () => {
  const samples = shapeSamples(randomShapes(2000, () => 1, 0, 1, [1, 3, 5]));
  const domain = domainOf(samples);
  const outside = compileDomain(domain);
  const check = (of: ConvSpec) => outside(of, macs(of));

  it('holds its own samples and nearly all new shapes like them', () => {
    expect(samples.filter(({ spec: of }) => check(of) !== null)).toEqual([]);
    const fresh = randomShapes(2000, () => 1, 0, 2, [1, 3, 5]);
    expect(fresh.filter(({ spec: of }) => check(of) !== null).length).toBeLessThan(60);
  });

  it('has a gap between two clouds of samples that the ranges do not show', () => {
    const clouds = [1, 2, 3, 4].flatMap((k) => [spec(4 + k, 8 + k), spec(200 + k, 500 + k)]);
    const narrow = compileDomain(domainOf(shapeSamples(clouds.map((of) => ({ spec: of, timeMs: 1 })))));
    expect(narrow(spec(6, 11), macs(spec(6, 11)))).toBeNull();
    const between = spec(40, 60);
    expect(narrow(between, macs(between))).toBeGreaterThan(2);
  });

  it('keeps few shapes, those that stand for most first', () => {
    const shapes = domain.neighbours?.shapes ?? [];
    expect(shapes.length).toBe(200);
    expect(new Set(shapes.map(String)).size).toBe(200);
  });

  it('of one shape is that shape', () => {
    const one = compileDomain(domainOf(shapeSamples([{ spec: spec(8, 8), timeMs: 1 }])));
    expect(one(spec(8, 8), macs(spec(8, 8)))).toBeNull();
    expect(one(spec(9, 8), macs(spec(9, 8)))).toBeGreaterThan(0);
  });
});
