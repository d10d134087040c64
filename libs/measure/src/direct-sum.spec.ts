import {
  CONV_SPEC_DEFAULTS,
  outputSize,
  paddingSizes,
  resultSize,
  type ConvSpec,
  type Pass,
} from '@alphaflops/conv';
import { checkPoints, compareWithDirectSum, directSum, F32_TOLERANCE } from './direct-sum.js';
import type { BufferOrder } from './products.js';
import { seededArray, seededElement } from './seeded-inputs.js';

const NCHW: BufferOrder = { input: 'NCHW', weights: 'OIHW' };
const spec = (changes: Partial<ConvSpec> = {}): ConvSpec => ({
  ...CONV_SPEC_DEFAULTS,
  height: 5,
  width: 6,
  cin: 4,
  cout: 6,
  kernel_h: 3,
  kernel_w: 2,
  ...changes,
});

/**
 * All elements of the result, computed by scattering: the product of every input element and every weight is added to the
 * output element that it belongs to.
 */
function scatter(s: ConvSpec, seed: number): Map<string, number> {
  const out = outputSize(s);
  const { top, left } = paddingSizes(s);
  const [strideH, strideW] = [s.stride_h ?? s.stride, s.stride_w ?? s.stride];
  const sums = new Map<string, number>();
  const add = (key: string, product: number) => sums.set(key, (sums.get(key) ?? 0) + product);
  const perGroup = { in: s.cin / s.groups, out: s.cout / s.groups };
  let index = 0;
  for (let n = 0; n < s.batch; n++)
    for (let c = 0; c < s.cin; c++)
      for (let y = 0; y < s.height; y++)
        for (let x = 0; x < s.width; x++) {
          const value = seededElement('input', seed, index++);
          let weightIndex = 0;
          for (let o = 0; o < s.cout; o++)
            for (let i = 0; i < perGroup.in; i++)
              for (let ky = 0; ky < s.kernel_h; ky++)
                for (let kx = 0; kx < s.kernel_w; kx++) {
                  const weight = seededElement('weights', seed, weightIndex++);
                  const row = (y + top - ky * (s.dilation_h ?? 1)) / strideH;
                  const column = (x + left - kx * (s.dilation_w ?? 1)) / strideW;
                  if (Math.floor(o / perGroup.out) * perGroup.in + i !== c) continue;
                  if (!Number.isInteger(row) || row < 0 || row >= out.height) continue;
                  if (!Number.isInteger(column) || column < 0 || column >= out.width) continue;
                  const at = ((n * s.cout + o) * out.height + row) * out.width + column;
                  const gradient = seededElement('gradient', seed, at);
                  if (s.pass === 'backward-data') add([n, y, x, c].join(), gradient * weight);
                  else if (s.pass === 'backward-weights') add([o, ky, kx, i].join(), gradient * value);
                  else add([n, row, column, o].join(), value * weight);
                }
        }
  return sums;
}

const pads = { padding: 'explicit', pad_top: 2, pad_bottom: 0, pad_left: 1, pad_right: 3 } as const;
const backward = (pass: Pass) => [
  spec({ pass }),
  spec({ pass, stride: 2, batch: 2, padding: 'valid' }),
  spec({ pass, groups: 2, stride_h: 2 }),
  spec({ pass, groups: 4, cout: 8, dilation_h: 2, dilation_w: 3 }),
  spec({ pass, ...pads, dilation_w: 2, stride_w: 3 }),
];

it.each([
  spec(),
  spec({ padding: 'valid' }),
  spec({ stride: 2 }),
  spec({ stride: 3, padding: 'valid', batch: 2 }),
  spec({ groups: 2 }),
  spec({ groups: 4, cout: 8, kernel_h: 4 }),
  spec({ kernel_h: 1, kernel_w: 1, stride: 2 }),
  spec({ stride_h: 3, stride_w: 1 }),
  spec({ dilation_h: 2, dilation_w: 4 }),
  spec({ padding: 'valid', dilation_h: 2, stride: 2 }),
  spec({ ...pads, stride_w: 2, dilation_h: 2 }),
  ...backward('backward-data'),
  ...backward('backward-weights'),
])('gathers what scattering adds up: %j', (s) => {
  const sums = scatter(s, 11);
  const { images, height, width, channels } = resultSize(s);
  for (let image = 0; image < images; image++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        for (let channel = 0; channel < channels; channel++) {
          const expected = sums.get([image, row, column, channel].join());
          const found = directSum(s, 11, NCHW, { image, row, column, channel });
          expect(found.value).toBeCloseTo(expected ?? 0, 10);
          // An element without any product is 0, and its scale is 0.
          expect(found.scale > 0).toBe(expected !== undefined);
        }
});

it('reads buffers in the given order', () => {
  // A 1×1 kernel on one channel: output = input element × weight, in any buffer order.
  const s = spec({ batch: 2, cin: 1, cout: 3, kernel_h: 1, kernel_w: 1 });
  const point = { image: 1, row: 2, column: 3, channel: 2 };
  const { value } = directSum(s, 5, { input: 'NHWC', weights: 'HWIO' }, point);
  expect(value).toBe(seededElement('input', 5, 30 + 2 * 6 + 3) * seededElement('weights', 5, 2));
  const deep = spec({ cin: 4, cout: 1, kernel_h: 1, kernel_w: 1 });
  const sum = (inputStep: number, start: number) =>
    [0, 1, 2, 3].reduce(
      (total, c) => total + seededElement('input', 5, start + c * inputStep) * seededElement('weights', 5, c),
      0,
    );
  const corner = { image: 0, row: 0, column: 1, channel: 0 };
  expect(directSum(deep, 5, { input: 'NHWC', weights: 'OHWI' }, corner).value).toBe(sum(1, 4));
  expect(directSum(deep, 5, NCHW, corner).value).toBe(sum(30, 1));
});

describe('comparison', () => {
  const s = spec({ cin: 64, kernel_h: 3, kernel_w: 3 });
  const points = checkPoints(s, 3);
  const values = points.map((point) => directSum(s, 3, NCHW, point).value);
  const compare = (changed: readonly number[]) =>
    compareWithDirectSum(s, 3, NCHW, F32_TOLERANCE, points, changed);

  it('accepts the rounding of f32 and refuses an error of a hundredth', () => {
    expect(compare(values.map(Math.fround))).toEqual({ ok: true });
    const off = values.map((value, index) => (index === 4 ? value + 0.1 : value));
    expect(compare(off)).toEqual({
      ok: false,
      reason: expect.stringMatching(/^output\[image 0, row \d, column \d, channel \d\] is /) as string,
    });
  });

  it('refuses zeros, NaN and missing values', () => {
    expect(compare(values.map(() => 0)).ok).toBe(false);
    expect(compare(values.map(() => NaN)).ok).toBe(false);
    expect(compare(values.slice(1)).ok).toBe(false);
  });

  it('checks points inside the output, including the corners', () => {
    const big = spec({ batch: 3, height: 40, width: 50, cout: 60 });
    const chosen = checkPoints(big, 9, 200);
    expect(chosen).toHaveLength(202);
    expect(chosen[1]).toEqual({ image: 2, row: 39, column: 49, channel: 59 });
    expect(chosen.every((p) => p.image < 3 && p.row < 40 && p.column < 50 && p.channel < 60)).toBe(true);
    expect(new Set(chosen.map((p) => p.channel)).size).toBeGreaterThan(40);
    expect(checkPoints(big, 9, 200)).toEqual(chosen);
  });
});

describe('seeded inputs', () => {
  it('are exact in f32, uniform, and never zero', () => {
    const array = seededArray('input', 1, 100_000);
    expect(array.every((value, index) => value === seededElement('input', 1, index))).toBe(true);
    expect(array.every((value) => value !== 0 && Math.abs(value) < 1)).toBe(true);
    const mean = array.reduce((sum, value) => sum + value, 0) / array.length;
    const variance = array.reduce((sum, value) => sum + value * value, 0) / array.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(variance).toBeCloseTo(1 / 3, 2);
  });

  it('are known at every index of an array longer than their period', () => {
    const array = seededArray('weights', 7, 5_000_000);
    for (let index = 0; index < array.length; index += 9973) {
      expect(array[index]).toBe(seededElement('weights', 7, index));
    }
  });

  it('differ between seeds and between the two inputs', () => {
    const correlation = (a: Float32Array, b: Float32Array) =>
      (3 * a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)) / a.length;
    const input = seededArray('input', 1, 50_000);
    expect(Math.abs(correlation(input, seededArray('input', 2, 50_000)))).toBeLessThan(0.02);
    expect(Math.abs(correlation(input, seededArray('weights', 1, 50_000)))).toBeLessThan(0.02);
  });
});
