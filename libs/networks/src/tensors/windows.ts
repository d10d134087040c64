import type { Pads, Pair } from '../geometry.js';
import { outputAlong } from '../geometry.js';

/** The parameters of a sliding window over the spatial axes of a tensor, one number per axis. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** A rule, or the elements before and after each axis. */
  readonly pads: 'same' | 'valid' | { readonly before: readonly number[]; readonly after: readonly number[] };
}

/** Returns the output sizes of a convolution or pooling. `ceil` counts a last window that is only partly filled. */
export function windowOutput(input: readonly number[], windows: Windows, ceil = false): number[] {
  const { kernel, strides, dilations, pads } = windows;
  return input.map((size, axis) => {
    const [k, stride, dilation] = [kernel[axis] ?? 1, strides[axis] ?? 1, dilations[axis] ?? 1];
    const [before, after] = padsAlong(pads, axis);
    const along: Pads = typeof pads === 'string' ? pads : [before, 0, after, 0];
    const length = outputAlong(size, k, stride, dilation, along, 0, ceil);
    // A window that would start in the padding after the input does not count.
    const startsOutside = ceil && pads !== 'same' && (length - 1) * stride >= size + before;
    return startsOutside ? length - 1 : length;
  });
}

/** Returns the output sizes of a transposed convolution. `extra` are the elements of the output padding. */
export function transposedWindowOutput(
  input: readonly number[],
  { kernel, strides, dilations, pads }: Windows,
  extra: readonly number[] | null,
): number[] {
  return input.map((size, axis) => {
    const [k, stride, dilation] = [kernel[axis] ?? 1, strides[axis] ?? 1, dilations[axis] ?? 1];
    if (pads === 'same') return size * stride;
    const [before, after] = padsAlong(pads, axis);
    return Math.max(0, (size - 1) * stride + dilation * (k - 1) + 1 - before - after + (extra?.[axis] ?? 0));
  });
}

function padsAlong(pads: Windows['pads'], axis: number): Pair {
  return typeof pads === 'string' ? [0, 0] : [pads.before[axis] ?? 0, pads.after[axis] ?? 0];
}

/** Returns the padding of an image. A sequence is an image with one row. */
export function imagePads(pads: Windows['pads'], spatialAxes: number): Pads {
  if (typeof pads === 'string') return pads;
  return [...asPair(pads.before, 0, spatialAxes), ...asPair(pads.after, 0, spatialAxes)];
}

/** Returns one number for the height and one for the width. A sequence has one row. */
export function asPair(sizes: readonly number[], missing: number, spatialAxes = sizes.length): Pair {
  const [first = missing, second = missing] = sizes;
  return spatialAxes === 1 ? [missing, first] : [first, second];
}
