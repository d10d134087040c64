import fc from 'fast-check';
import { specKey } from './canonical-spec.js';
import { CONV_SPEC_DEFAULTS, DTYPES, PASSES, type ConvSpec } from './conv-spec.js';
import {
  arithmeticIntensity,
  bytes,
  flops,
  kernelPoints,
  macs,
  outputPoints,
  outputSize,
  paddingSizes,
  resultSize,
} from './work.js';

const spec = (change: Partial<ConvSpec> = {}): ConvSpec => ({
  ...CONV_SPEC_DEFAULTS,
  height: 8,
  width: 8,
  cin: 4,
  cout: 4,
  kernel_h: 3,
  kernel_w: 3,
  ...change,
});

const axis = fc.integer({ min: 1, max: 24 });
const anySpec: fc.Arbitrary<ConvSpec> = fc
  .record({
    batch: fc.integer({ min: 1, max: 8 }),
    height: axis,
    width: axis,
    cinPerGroup: axis,
    coutPerGroup: axis,
    groups: fc.integer({ min: 1, max: 4 }),
    kernel_h: fc.integer({ min: 1, max: 7 }),
    kernel_w: fc.integer({ min: 1, max: 7 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dtype: fc.constantFrom(...DTYPES),
    padding: fc.constantFrom('same' as const, 'valid' as const),
  })
  .map(({ cinPerGroup, coutPerGroup, ...rest }) => ({
    ...rest,
    layout: 'NCHW' as const,
    cin: cinPerGroup * rest.groups,
    cout: coutPerGroup * rest.groups,
  }));

describe('output size', () => {
  it('keeps the input size with stride 1 and same padding', () => {
    expect(outputSize(spec({ height: 7, width: 9 }))).toEqual({ height: 7, width: 9 });
  });

  it('rounds up with same padding', () => {
    expect(outputSize(spec({ height: 225, width: 224, stride: 2 }))).toEqual({ height: 113, width: 112 });
  });

  it('excludes the border with valid padding', () => {
    expect(outputSize(spec({ height: 224, width: 10, kernel_h: 7, stride: 2, padding: 'valid' }))).toEqual({
      height: 109,
      width: 4,
    });
  });

  it('is empty when a valid kernel does not fit', () => {
    expect(outputPoints(spec({ height: 2, padding: 'valid' }))).toBe(0);
  });

  it('equals the number of kernel positions of a direct scan', () => {
    fc.assert(
      fc.property(anySpec, (s) => {
        let positions = 0;
        for (let at = 0; at + s.kernel_h <= s.height; at += s.stride) positions += 1;
        expect(outputSize({ ...s, padding: 'valid' }).height).toBe(positions);
        positions = 0;
        for (let at = 0; at < s.height; at += s.stride) positions += 1;
        expect(outputSize({ ...s, padding: 'same' }).height).toBe(positions);
      }),
    );
  });
});

describe('output size with strides, dilations and pads of each axis', () => {
  const anyAxis = fc.record({
    input: fc.integer({ min: 1, max: 30 }),
    kernel: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 4 }),
    before: fc.integer({ min: 0, max: 5 }),
    after: fc.integer({ min: 0, max: 5 }),
  });

  it('equals the number of kernel positions of a direct scan', () => {
    fc.assert(
      fc.property(anyAxis, anyAxis, (rows, columns) => {
        const positions = ({ input, kernel, stride, dilation, before, after }: typeof rows) => {
          let count = 0;
          for (let at = -before; at + dilation * (kernel - 1) < input + after; at += stride) count += 1;
          return count;
        };
        const s = spec({
          ...{ height: rows.input, kernel_h: rows.kernel, stride_h: rows.stride, dilation_h: rows.dilation },
          ...{ pad_top: rows.before, pad_bottom: rows.after, padding: 'explicit' },
          ...{ width: columns.input, kernel_w: columns.kernel, stride_w: columns.stride },
          ...{ dilation_w: columns.dilation, pad_left: columns.before, pad_right: columns.after },
        });
        expect(outputSize(s)).toEqual({ height: positions(rows), width: positions(columns) });
      }),
    );
  });

  it('gives the known sizes of layers of real networks', () => {
    // The second branch of ASPP in DeepLab v3; a text recogniser's pooling of rows alone; the first layer of ResNet.
    expect(outputSize(spec({ height: 65, width: 65, dilation_h: 12, dilation_w: 12 }))).toEqual({ height: 65, width: 65 }); // prettier-ignore
    expect(outputSize(spec({ height: 32, width: 100, stride: 2, stride_w: 1 }))).toEqual({ height: 16, width: 100 }); // prettier-ignore
    const pads = { pad_top: 3, pad_bottom: 3, pad_left: 3, pad_right: 3 };
    const first = { height: 224, width: 224, kernel_h: 7, kernel_w: 7, stride: 2 };
    expect(outputSize(spec({ ...first, padding: 'explicit', ...pads }))).toEqual({ height: 112, width: 112 });
  });
});

describe('work', () => {
  it('is the same for the three passes, each of which computes one of the three tensors', () => {
    const s = spec({ batch: 2, height: 10, width: 6, cin: 8, cout: 16, groups: 2, stride: 2, kernel_w: 5 });
    for (const pass of PASSES) {
      expect(macs({ ...s, pass })).toBe(macs(s));
      expect(bytes({ ...s, pass })).toEqual(bytes(s));
    }
    expect(resultSize(s)).toEqual({ images: 2, height: 5, width: 3, channels: 16 });
    expect(resultSize({ ...s, pass: 'backward-data' })).toEqual({ images: 2, height: 10, width: 6, channels: 8 }); // prettier-ignore
    expect(resultSize({ ...s, pass: 'backward-weights' })).toEqual({ images: 16, height: 3, width: 5, channels: 4 }); // prettier-ignore
  });

  it('gives the known multiply-adds of the first layer of ResNet-50', () => {
    const first = spec({ height: 224, width: 224, cin: 3, cout: 64, kernel_h: 7, kernel_w: 7, stride: 2 });
    expect(macs(first)).toBe(118_013_952);
    expect(flops(first)).toBe(236_027_904);
  });

  it('gives the bytes of each tensor by dtype', () => {
    const s = spec({ batch: 2, height: 10, width: 6, cin: 8, cout: 16, groups: 2, stride: 2 });
    expect(bytes(s)).toEqual({ input: 3840, weights: 2304, output: 1920, total: 8064 });
    expect(bytes({ ...s, dtype: 'bf16' }).total).toBe(4032);
    expect(arithmeticIntensity(s)).toBeCloseTo((2 * 30 * 9 * 4 * 16) / 8064, 12);
  });

  it('equals the sum over groups of independent convolutions', () => {
    fc.assert(
      fc.property(anySpec, (s) => {
        const part = { ...s, groups: 1, cin: s.cin / s.groups, cout: s.cout / s.groups };
        expect(macs(s)).toBe(s.groups * macs(part));
        expect(bytes(s).weights).toBe(s.groups * bytes(part).weights);
      }),
    );
  });

  it('is proportional to the batch, except for the weights', () => {
    fc.assert(
      fc.property(anySpec, (s) => {
        const one = { ...s, batch: 1 };
        expect(macs(s)).toBe(s.batch * macs(one));
        expect(outputPoints(s)).toBe(s.batch * outputPoints(one));
        expect(bytes(s).input).toBe(s.batch * bytes(one).input);
        expect(bytes(s).weights).toBe(bytes(one).weights);
      }),
    );
  });

  it('gives equal keys for equal specs and different keys for different ones', () => {
    fc.assert(
      fc.property(anySpec, anySpec, (a, b) => {
        const same = (Object.keys(a) as (keyof ConvSpec)[]).every((key) => a[key] === b[key]);
        expect(specKey(a) === specKey(b)).toBe(same);
        expect(specKey({ ...a })).toBe(specKey(a));
        expect(specKey({ ...a, kernel_h: a.kernel_h + 1 })).not.toBe(specKey(a));
      }),
    );
  });

  it('counts kernel points', () => {
    expect(kernelPoints(spec({ kernel_h: 1, kernel_w: 7 }))).toBe(7);
  });
});

describe('padding', () => {
  const sizes = (changes: Partial<ConvSpec>) =>
    paddingSizes({
      ...CONV_SPEC_DEFAULTS,
      height: 10,
      width: 10,
      cin: 1,
      cout: 1,
      kernel_h: 3,
      kernel_w: 3,
      ...changes,
    });

  it('follows TensorFlow for same, is 0 for valid, and is never negative', () => {
    expect(sizes({})).toEqual({ top: 1, bottom: 1, left: 1, right: 1 });
    expect(sizes({ kernel_h: 4 })).toEqual({ top: 1, bottom: 2, left: 1, right: 1 });
    expect(sizes({ stride: 2, kernel_w: 1 })).toEqual({ top: 0, bottom: 1, left: 0, right: 0 });
    expect(sizes({ padding: 'valid' })).toEqual({ top: 0, bottom: 0, left: 0, right: 0 });
  });

  it('gives the output size by the rule for explicit padding', () => {
    const size = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 5 }), (height, kernel_h, stride) => {
        const spec = {
          ...CONV_SPEC_DEFAULTS,
          height,
          width: 1,
          cin: 1,
          cout: 1,
          kernel_h,
          kernel_w: 1,
          stride,
        };
        const { top, bottom } = paddingSizes(spec);
        expect(Math.floor((height + top + bottom - kernel_h) / stride) + 1).toBe(outputSize(spec).height);
      }),
    );
  });
});
