import { CONV_SPEC_DEFAULTS, macs, type ConvSpec } from '@alphaflops/conv';
import { compileDomain, domainOf } from './domain.js';
import { randomShapes } from './random-shapes.spec-helper.js';
import { timeSamples } from './sample.js';

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
  const samples = timeSamples(randomShapes(2000, () => 1, 0, 1, [1, 3, 5]));
  const domain = domainOf(samples);
  const outside = compileDomain(domain);
  const check = (of: ConvSpec) => outside(of, macs(of));

  it('includes its own samples and nearly all new shapes like them', () => {
    expect(samples.filter(({ spec: of }) => check(of) !== null)).toEqual([]);
    const fresh = randomShapes(2000, () => 1, 0, 2, [1, 3, 5]);
    expect(fresh.filter(({ spec: of }) => check(of) !== null).length).toBeLessThan(60);
  });

  it('has a gap between two clusters of samples, which the ranges do not show', () => {
    const clouds = [1, 2, 3, 4].flatMap((k) => [spec(4 + k, 8 + k), spec(200 + k, 500 + k)]);
    const narrow = compileDomain(domainOf(timeSamples(clouds.map((of) => ({ spec: of, timeMs: 1 })))));
    expect(narrow(spec(6, 11), macs(spec(6, 11)))).toBeNull();
    const between = spec(40, 60);
    expect(narrow(between, macs(between))).toBeGreaterThan(2);
  });

  it('stores few shapes, the most representative first', () => {
    const shapes = domain.neighbours?.shapes ?? [];
    expect(shapes.length).toBe(200);
    expect(new Set(shapes.map(String)).size).toBe(200);
  });

  it('has only one shape for samples of one shape', () => {
    const one = compileDomain(domainOf(timeSamples([{ spec: spec(8, 8), timeMs: 1 }])));
    expect(one(spec(8, 8), macs(spec(8, 8)))).toBeNull();
    expect(one(spec(9, 8), macs(spec(9, 8)))).toBeGreaterThan(0);
  });

  it('without other passes and dilations has the same document as before they existed', () => {
    expect(Object.keys(domain.domainLevels).sort()).toEqual(['dtype', 'layout', 'padding']);
    expect(Object.keys(domain.domain).sort()).toEqual(
      ['batch', 'cin', 'cout', 'groups', 'height', 'kernel_h', 'kernel_w', 'macs', 'stride', 'width'].sort(),
    );
    const dilated = { ...spec(32, 64), dilation_h: 4, dilation_w: 1 };
    expect(check(dilated)).toBeGreaterThanOrEqual(2);
    // The model has no data about another pass, not even about the error of the forward time for it.
    expect(check({ ...spec(32, 64), pass: 'backward-data' })).toBe(Infinity);
  });

  it('has the passes and dilations of its samples', () => {
    const some = [
      spec(8, 8),
      { ...spec(8, 8), pass: 'backward-data' as const },
      { ...spec(8, 8), dilation_h: 4, dilation_w: 4 },
    ];
    const own = domainOf(timeSamples(some.map((of) => ({ spec: of, timeMs: 1 }))));
    expect(own.domainLevels['pass']).toEqual(['backward-data', 'forward']);
    expect(own.domain['dilation_h']).toEqual({ min: 1, max: 4 });
    const outsideOwn = compileDomain(own);
    for (const of of some) expect(outsideOwn(of, macs(of))).toBeNull();
    const weights = { ...spec(8, 8), pass: 'backward-weights' as const };
    expect(outsideOwn(weights, macs(weights))).toBe(Infinity);
  });

  it('treats explicit padding like `same` when the output is equal', () => {
    const one = compileDomain(domainOf(timeSamples([{ spec: spec(8, 8), timeMs: 1 }])));
    const pads = { padding: 'explicit', pad_top: 0, pad_bottom: 2, pad_left: 2, pad_right: 0 } as const;
    expect(one({ ...spec(8, 8), ...pads }, macs(spec(8, 8)))).toBeNull();
    const more = { ...spec(8, 8), ...pads, pad_top: 1 };
    expect(one(more, macs(more))).not.toBeNull();
  });
});
