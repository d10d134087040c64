import { bytes } from '@alphaflops/conv';
import { CONV_3X3 } from './specs.spec.helper.js';
import { geometryOf, isPadded, neededBytes } from './geometry.js';

it.each([
  [{}, { padH: 1, padW: 1, moreH: 0, moreW: 0 }],
  [{ padding: 'valid' as const }, { padH: 0, padW: 0, moreH: 0, moreW: 0 }],
  [
    { kernel_h: 2, kernel_w: 4 },
    { padH: 0, padW: 1, moreH: 1, moreW: 1 },
  ],
  // 9 rows by stride 2: 5 outputs reach over 11 rows; 12 columns: 6 outputs reach over 13.
  [{ stride: 2 }, { padH: 1, padW: 0, moreH: 0, moreW: 1 }],
  // A kernel smaller than the stride needs none.
  [
    { stride: 3, kernel_h: 1, kernel_w: 1 },
    { padH: 0, padW: 0, moreH: 0, moreW: 0 },
  ],
])('pads %j as TensorFlow does', (changes, padding) => {
  expect(geometryOf({ ...CONV_3X3, ...changes })).toMatchObject(padding);
});

it('lays the input into the padded one', () => {
  const spec = { ...CONV_3X3, batch: 2, kernel_h: 2, kernel_w: 2 };
  const nchw = geometryOf(spec);
  expect(nchw.paddedInput).toMatchObject({ size: [2, 6, 10, 13], stride: [780, 130, 13, 1] });
  expect(nchw.inputInPadded).toMatchObject({ size: [2, 6, 9, 12], stride: [780, 130, 13, 1] });
  const nhwc = geometryOf({ ...spec, layout: 'NHWC' });
  expect(nhwc.inputInPadded).toMatchObject({ size: [2, 6, 9, 12], stride: [780, 1, 78, 6] });
});

it('counts the padded input as memory only where there is one', () => {
  const even = { ...CONV_3X3, kernel_h: 2, kernel_w: 2 };
  expect(isPadded(geometryOf(CONV_3X3))).toBe(false);
  expect(neededBytes(geometryOf(CONV_3X3))).toBe(bytes(CONV_3X3).total);
  expect(neededBytes(geometryOf(even))).toBe(bytes(even).total + 4 * 6 * 10 * 13);
});
