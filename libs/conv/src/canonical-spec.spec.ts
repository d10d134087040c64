import fc from 'fast-check';
import { canonicalSpec, extensionsOf, specKey } from './canonical-spec.js';
import {
  CONV_SPEC_DEFAULTS,
  OPTIONAL_FIELDS,
  PAD_FIELDS,
  PASSES,
  passOf,
  type ConvSpec,
} from './conv-spec.js';
import { macs, outputSize, paddingSizes } from './work.js';

const base: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  ...{ height: 56, width: 56, cin: 64, cout: 128, kernel_h: 3, kernel_w: 3 },
};

const zeros = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined });
const some = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined });
const anySpec: fc.Arbitrary<ConvSpec> = fc.record({
  ...{
    batch: fc.constant(1),
    height: fc.integer({ min: 7, max: 12 }),
    width: fc.integer({ min: 7, max: 12 }),
  },
  ...{
    cin: fc.constant(2),
    cout: fc.constant(2),
    groups: fc.constant(1),
    layout: fc.constant('NCHW' as const),
  },
  ...{ kernel_h: fc.integer({ min: 1, max: 3 }), kernel_w: fc.integer({ min: 1, max: 3 }) },
  ...{
    stride: fc.integer({ min: 1, max: 3 }),
    stride_h: some,
    stride_w: some,
    dilation_h: some,
    dilation_w: some,
  },
  padding: fc.constantFrom('same' as const, 'valid' as const, 'explicit' as const),
  ...{ pad_top: zeros, pad_bottom: zeros, pad_left: zeros, pad_right: zeros },
  dtype: fc.constant('f32' as const),
  pass: fc.constantFrom(undefined, ...PASSES),
});

describe('the canonical form', () => {
  it('does not change a spec without optional fields, or its key', () => {
    expect(canonicalSpec(base)).toBe(base);
    expect(specKey(base)).toBe('b1-h56-w56-i64-o128-k3x3-s1-g1-f32-same-NCHW');
    const other = { ...base, batch: 8, stride: 2, groups: 4, dtype: 'bf16', padding: 'valid', layout: 'NHWC' } as const; // prettier-ignore
    expect(specKey(other)).toBe('b8-h56-w56-i64-o128-k3x3-s2-g4-bf16-valid-NHWC');
  });

  it('omits fields with their default values', () => {
    const same = { pad_top: 1, pad_bottom: 1, pad_left: 1, pad_right: 1, padding: 'explicit' } as const;
    const defaults = { stride_h: 1, stride_w: 1, dilation_h: 1, dilation_w: 1, pass: 'forward' } as const;
    expect(JSON.stringify(canonicalSpec({ ...base, ...defaults, ...same }))).toBe(JSON.stringify({
      ...{ batch: 1, height: 56, width: 56, cin: 64, cout: 128, kernel_h: 3, kernel_w: 3 },
      ...{ stride: 1, groups: 1, dtype: 'f32', padding: 'same', layout: 'NCHW' },
    })); // prettier-ignore
    expect(canonicalSpec({ ...base, padding: 'explicit' })).toEqual({ ...base, padding: 'valid' });
    const pointwise = { ...base, kernel_h: 1, kernel_w: 1 };
    expect(canonicalSpec({ ...pointwise, padding: 'explicit', dilation_h: 2 })).toEqual(pointwise);
    expect(canonicalSpec({ ...base, stride: 1, stride_h: 2, stride_w: 2 })).toEqual({ ...base, stride: 2 });
  });

  it('writes fields with other values', () => {
    const pads = { pad_top: 1, pad_bottom: 1, pad_left: 2, pad_right: 2 };
    const full = {
      ...base,
      stride_h: 2,
      dilation_h: 2,
      dilation_w: 3,
      ...pads,
      pass: 'backward-data',
    } as const;
    const canonical = canonicalSpec(full);
    expect(canonical).toMatchObject({ stride: 2, stride_h: 2, stride_w: 1, padding: 'explicit' });
    expect(specKey(full)).toBe('b1-h56-w56-i64-o128-k3x3-s2x1-d2x3-g1-f32-p1x1x2x2-NCHW-backward-data');
    expect(extensionsOf(full)).toEqual(['strides 2×1', 'dilations 2×3', 'explicit padding', 'the pass backward-data']); // prettier-ignore
    expect(specKey({ ...base, pass: 'backward-weights' })).toBe(`${specKey(base)}-backward-weights`);
    expect(extensionsOf(base)).toEqual([]);
  });

  it('is the same convolution, is its own canonical form, and has a unique key', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(anySpec, (spec) => {
        const canonical = canonicalSpec(spec);
        const isPadded = PAD_FIELDS.some((name) => (spec[name] ?? 0) > 0);
        const meant: ConvSpec = isPadded ? { ...spec, padding: 'explicit' } : spec;
        expect(outputSize(canonical)).toEqual(outputSize(meant));
        expect(macs(canonical)).toBe(macs(meant));
        expect(passOf(canonical)).toBe(passOf(spec));
        expect(paddingSizes(canonical)).toEqual(paddingSizes(meant));
        expect(canonicalSpec(canonical)).toEqual(canonical);
        const key = specKey(spec);
        expect(specKey(canonical)).toBe(key);
        const text = JSON.stringify(canonical);
        expect(seen.get(key) ?? text).toBe(text);
        seen.set(key, text);
        expect(OPTIONAL_FIELDS.every((name) => canonical[name] !== undefined || !(name in canonical))).toBe(
          true,
        );
      }),
      { numRuns: 500 },
    );
    expect(new Set(seen.values()).size).toBe(seen.size);
  });
});
