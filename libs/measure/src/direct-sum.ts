import { outputSize, paddingSizes, type ConvSpec } from '@alphaflops/conv';
import { seededElement } from './seeded-inputs.js';
import type { OutputCheck } from './timed-conv.js';

/** Order of a buffer's axes, slowest first: images, channels, height, width / outputs, inputs, height, width. */
export interface BufferOrder {
  readonly input: 'NCHW' | 'NHWC';
  readonly weights: 'OIHW' | 'OHWI' | 'HWIO';
}

/** One element of the output. */
export interface OutputPoint {
  readonly image: number;
  readonly row: number;
  readonly column: number;
  readonly channel: number;
}

/** Share of the root sum of squares of the products by which an f32 result may be off: rounding takes under 1e-4. */
export const F32_TOLERANCE = 1e-3;

/**
 * The corners of the output and `count` random points, so that every kind of border and channel is met.
 * @param seed the same seed gives the same points
 */
export function checkPoints(spec: ConvSpec, seed: number, count = 6): OutputPoint[] {
  const { height, width } = outputSize(spec);
  const last = { image: spec.batch - 1, row: height - 1, column: width - 1, channel: spec.cout - 1 };
  const random = Array.from({ length: count }, (_, index): OutputPoint => {
    const pick = (axis: number, size: number): number =>
      Math.floor(((seededElement('input', seed, 4 * index + axis) + 1) / 2) * size);
    return {
      image: pick(0, spec.batch),
      row: pick(1, height),
      column: pick(2, width),
      channel: pick(3, spec.cout),
    };
  });
  return [{ image: 0, row: 0, column: 0, channel: 0 }, last, ...random];
}

/**
 * One output element of the convolution of the seeded inputs, summed directly in double precision, and the root sum of
 * squares of its products: the size that rounding errors are to be compared with. `same` padding is TensorFlow's: of an
 * odd number of padding rows or columns the larger half comes last.
 */
export function directSum(
  spec: ConvSpec,
  seed: number,
  order: BufferOrder,
  point: OutputPoint,
): { value: number; scale: number } {
  const padding = paddingSizes(spec);
  const inputsPerGroup = spec.cin / spec.groups;
  const firstInput = Math.floor(point.channel / (spec.cout / spec.groups)) * inputsPerGroup;
  const top = point.row * spec.stride - padding.top;
  const left = point.column * spec.stride - padding.left;
  const x = strides(order.input, { N: spec.batch, C: spec.cin, H: spec.height, W: spec.width });
  const w = strides(order.weights, { O: spec.cout, I: inputsPerGroup, H: spec.kernel_h, W: spec.kernel_w });

  let value = 0;
  let squares = 0;
  for (let kernelRow = 0; kernelRow < spec.kernel_h; kernelRow++) {
    const row = top + kernelRow;
    if (row < 0 || row >= spec.height) continue;
    for (let kernelColumn = 0; kernelColumn < spec.kernel_w; kernelColumn++) {
      const column = left + kernelColumn;
      if (column < 0 || column >= spec.width) continue;
      const inputStart = point.image * x.N + row * x.H + column * x.W + firstInput * x.C;
      const weightStart = point.channel * w.O + kernelRow * w.H + kernelColumn * w.W;
      for (let channel = 0; channel < inputsPerGroup; channel++) {
        const product =
          seededElement('input', seed, inputStart + channel * x.C) *
          seededElement('weights', seed, weightStart + channel * w.I);
        value += product;
        squares += product * product;
      }
    }
  }
  return { value, scale: Math.sqrt(squares) };
}

/** Compares output elements with their direct sums; `tolerance` is a share of the scale that `directSum` gives. */
export function compareWithDirectSum(
  spec: ConvSpec,
  seed: number,
  order: BufferOrder,
  tolerance: number,
  points: readonly OutputPoint[],
  values: readonly number[],
): OutputCheck {
  for (const [index, point] of points.entries()) {
    const actual = values[index] ?? NaN;
    const { value, scale } = directSum(spec, seed, order, point);
    // Negated, so that NaN is wrong too.
    if (!(Math.abs(actual - value) <= tolerance * scale)) {
      const { image, row, column, channel } = point;
      return {
        ok: false,
        reason:
          `output[image ${image}, row ${row}, column ${column}, channel ${channel}] is ${actual}; ` +
          `the direct sum is ${value} and may be off by ${tolerance * scale}`,
      };
    }
  }
  return { ok: true };
}

/** Distance in elements between neighbours along each axis. */
function strides<Axis extends string>(order: string, sizes: Record<Axis, number>): Record<Axis, number> {
  const result = { ...sizes };
  let distance = 1;
  for (let position = order.length - 1; position >= 0; position--) {
    const axis = order.charAt(position) as Axis;
    result[axis] = distance;
    distance *= sizes[axis];
  }
  return result;
}
