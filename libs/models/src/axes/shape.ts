import {
  BYTES_PER_ELEMENT,
  dilationH,
  dilationW,
  kernelPoints,
  outputSize,
  passOf,
  type ConvSpec,
} from '@alphaflops/conv';

/** The properties of a convolution that the tile-and-wave formula, its gates and the boosted trees use. */
export interface Shape {
  readonly spec: ConvSpec;
  readonly outputHeight: number;
  readonly outputWidth: number;
  /** S: output points of the whole batch. */
  readonly points: number;
  /** K: kernel points. */
  readonly kernel: number;
  /** Input and output channels of one group. */
  readonly groupCin: number;
  readonly groupCout: number;
  readonly elementBytes: number;
  /** Number of elements in 16 bytes, which a device loads at once if the channel counts allow it. */
  readonly alignment: number;
  readonly inputMb: number;
  readonly outputMb: number;
  readonly weightsMb: number;
  readonly macs: number;
}

export function shapeOf(spec: ConvSpec): Shape {
  const { height, width } = outputSize(spec);
  const points = spec.batch * height * width;
  const kernel = kernelPoints(spec);
  const elementBytes = BYTES_PER_ELEMENT[spec.dtype];
  const groupCin = spec.cin / spec.groups;
  const megabytes = elementBytes / 1e6;
  return {
    spec,
    outputHeight: height,
    outputWidth: width,
    points,
    kernel,
    groupCin,
    groupCout: spec.cout / spec.groups,
    elementBytes,
    alignment: 16 / elementBytes,
    inputMb: megabytes * spec.batch * spec.height * spec.width * spec.cin,
    outputMb: megabytes * points * spec.cout,
    weightsMb: megabytes * kernel * groupCin * spec.cout,
    macs: points * kernel * groupCin * spec.cout,
  };
}

/** Kernel families. Devices compute them with different programs, so each has a formula of its own. */
export const KERNEL_FAMILIES = [
  ...(['1x1', '3x3', 'even', 'grouped', 'other'] as const),
  'dilated',
  ...(['backward-data', 'backward-data grouped', 'backward-weights', 'backward-weights grouped'] as const),
] as const;
export type KernelFamily = (typeof KERNEL_FAMILIES)[number];

export function kernelFamily(spec: ConvSpec): KernelFamily {
  const { groups, kernel_h, kernel_w } = spec;
  const pass = passOf(spec);
  if (pass !== 'forward') return groups > 1 ? `${pass} grouped` : pass;
  if (groups > 1) return 'grouped';
  if (dilationH(spec) > 1 || dilationW(spec) > 1) return 'dilated';
  if (kernel_h === 1 && kernel_w === 1) return '1x1';
  if (kernel_h === 3 && kernel_w === 3) return '3x3';
  return kernel_h % 2 === 0 || kernel_w % 2 === 0 ? 'even' : 'other';
}
