import { resultSize, type ConvSpec } from '@alphaflops/conv';
import { productsOf, type BufferOrder, type OutputPoint } from './products.js';
import { seededElement } from './seeded-inputs.js';
import type { OutputCheck } from './timed-conv.js';

/** Largest accepted error of an f32 result, as a share of the root sum of squares of its products. Rounding is below 1e-4. */
export const F32_TOLERANCE = 1e-3;

/**
 * The corners of the result and `count` random points. Together they include every kind of border and channel.
 *
 * @param seed the same seed gives the same points
 * @returns points of the result, inside its size
 */
export function checkPoints(spec: ConvSpec, seed: number, count = 6): OutputPoint[] {
  const { images, height, width, channels } = resultSize(spec);
  const last = { image: images - 1, row: height - 1, column: width - 1, channel: channels - 1 };
  const random = Array.from({ length: count }, (_, index): OutputPoint => {
    const pick = (axis: number, size: number): number =>
      Math.floor(((seededElement('input', seed, 4 * index + axis) + 1) / 2) * size);
    return {
      image: pick(0, images),
      row: pick(1, height),
      column: pick(2, width),
      channel: pick(3, channels),
    };
  });
  return [{ image: 0, row: 0, column: 0, channel: 0 }, last, ...random];
}

/**
 * One element of the result of the pass on the seeded tensors, summed directly in double precision, and the root sum of
 * squares of its products. Rounding errors are compared with this root sum.
 *
 * @param seed of both inputs, as in `seededArray`
 * @param order of the elements of the executor's buffers
 * @returns `value` and `scale` of the element, without a unit
 */
export function directSum(
  spec: ConvSpec,
  seed: number,
  order: BufferOrder,
  point: OutputPoint,
): { value: number; scale: number } {
  const { first, second, forEachProduct } = productsOf(spec, order);
  let value = 0;
  let squares = 0;
  forEachProduct(point, (a, b) => {
    const product = seededElement(first, seed, a) * seededElement(second, seed, b);
    value += product;
    squares += product * product;
  });
  return { value, scale: Math.sqrt(squares) };
}

/**
 * Compares output elements with their direct sums; `tolerance` is a share of the scale that `directSum` gives.
 *
 * @param values from the executor, one for each of `points`
 * @returns ok, or a reason that describes the first value outside the tolerance
 */
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
    // The negation makes NaN wrong too.
    if (!(Math.abs(actual - value) <= tolerance * scale)) {
      const { image, row, column, channel } = point;
      return {
        ok: false,
        reason:
          `output[image ${image}, row ${row}, column ${column}, channel ${channel}] is ${actual}; ` +
          `the direct sum is ${value} with a tolerance of ${tolerance * scale}`,
      };
    }
  }
  return { ok: true };
}
