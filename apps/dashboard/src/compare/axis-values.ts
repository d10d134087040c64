import type { ConvSpec } from '@alphaflops/conv';
import { along, AXES, type Axis, spread, valueOf } from '../model/axes.js';

/** Minimum range of each axis: the sizes of usual networks. */
const RANGES: Readonly<Record<Axis, readonly [number, number]>> = {
  size: [4, 256],
  cin: [4, 1024],
  cout: [4, 1024],
  kernel: [1, 11],
};

export interface AxisValues {
  readonly axis: Axis;
  readonly values: readonly number[];
}

/** The values of each axis along which a shape can vary. They include the shape's own value. */
export function axisValues(base: ConvSpec): AxisValues[] {
  return AXES.flatMap((axis) => {
    // The groups of a grouped shape must divide its channels.
    if ((axis === 'cin' || axis === 'cout') && base.groups !== 1) return [];
    // Without “same” padding, a large kernel has no output for a small image.
    if (axis === 'kernel' && base.padding !== 'same') return [];
    const own = valueOf(base, axis);
    const [usual, most] = RANGES[axis];
    const least = axis === 'size' ? Math.max(usual, extentOf(base)) : usual;
    const values = axis === 'kernel' ? kernelSides(own) : spread(Math.min(least, own), Math.max(most, own));
    return [{ axis, values: [...new Set([...values, own])].sort((a, b) => a - b) }];
  });
}

/** Side of the area that the kernel covers, with its dilation. */
function extentOf({ kernel_h, kernel_w, dilation_h = 1, dilation_w = 1 }: ConvSpec): number {
  return Math.max(dilation_h * (kernel_h - 1), dilation_w * (kernel_w - 1)) + 1;
}

/** Odd sides do not shift the image. */
function kernelSides(own: number): number[] {
  const [least, most] = RANGES.kernel;
  return Array.from({ length: Math.ceil(Math.max(most, own) / 2) }, (_, at) => least + 2 * at);
}

/** All shapes of all axes, one axis after the other. One request predicts all of them. */
export function shapesAlong(base: ConvSpec): ConvSpec[] {
  return axisValues(base).flatMap(({ axis, values }) => values.map((value) => along(base, axis, value)));
}
