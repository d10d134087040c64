import {
  dilationH,
  dilationW,
  kernelPoints,
  outputPoints,
  passOf,
  strideH,
  strideW,
  type ConvSpec,
} from '@alphaflops/conv';
import { log, square } from '@alphaflops/elementary';

/** Libraries load and compute channels of a group without padding when they are a multiple of this number. */
const ALIGNMENT = 8;

/**
 * Coordinates of a shape, so that shapes near to each other have related times. The sizes of the matrix products (output
 * points, channels of a group, kernel) enter as logarithms. Properties for which the library chooses another kernel (dtype,
 * stride, groups, alignment, kernels that are not square, dilation, pass) enter as steps. A distance of 1 is about one e-fold
 * of channels.
 */
export function coordinatesOf(spec: ConvSpec): Float64Array {
  const groupCin = spec.cin / spec.groups;
  const groupCout = spec.cout / spec.groups;
  return Float64Array.of(
    0.7 * log(outputPoints(spec)),
    0.3 * log(spec.height),
    log(groupCin),
    log(groupCout),
    1.2 * log(kernelPoints(spec)),
    1.15 * log(Math.sqrt(strideH(spec) * strideW(spec))),
    0.7 * log(spec.groups),
    spec.dtype === 'f32' ? 0 : 1.5,
    groupCin % ALIGNMENT === 0 ? 1 : 0,
    groupCout % ALIGNMENT === 0 ? 1 : 0,
    spec.kernel_h === spec.kernel_w ? 0 : 1,
    0.5 * log(dilationH(spec) * dilationW(spec)),
    passOf(spec) === 'backward-data' ? 1.5 : 0,
    passOf(spec) === 'backward-weights' ? 1.5 : 0,
  );
}

/** When the distance is larger than `enough`, it may stop early and return any value of at least `enough`. */
export function squaredDistance(a: Float64Array, b: Float64Array, enough = Infinity): number {
  let sum = 0;
  for (let k = 0; k < a.length && sum < enough; k++) sum += square((a[k] ?? 0) - (b[k] ?? 0));
  return sum;
}
