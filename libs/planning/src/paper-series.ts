import { CONV_SPEC_DEFAULTS, type ConvSpec, type Dtype } from '@alphaflops/conv';
import type { Design } from './design.js';
import { Draws } from './draws.js';

type Shape = Omit<ConvSpec, 'stride' | 'groups' | 'dtype' | 'padding' | 'layout'>;

function square(side: number, cin: number, cout: number, kernel: number): Shape {
  return { batch: 1, height: side, width: side, cin, cout, kernel_h: kernel, kernel_w: kernel };
}

/** `first`, `first` + `step`, … up to `last`. */
function range(first: number, last: number, step = 1): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
}

const GROWING_AXIS = [10, ...range(20, 640, 20)];
const GROWING_BATCH = [1, ...range(2, 64, 2)];
const PROGRESSIVE_CHANNELS = [400, 500, 800, 1100, 1600, 2200, 3200, 4500, 6400, 9000, 12_800];

/** Kernel K on an input of side ⌊300 / K⌋, down to side 10. If two kernels give the same side, only the smaller is used. */
function kernelAgainstSide(channels: number): Shape[] {
  const kernels = range(1, 28);
  const sideOf = (kernel: number) => Math.floor(300 / kernel);
  return kernels
    .filter((kernel) => kernel === 1 || sideOf(kernel) !== sideOf(kernel - 1))
    .map((kernel) => square(sideOf(kernel), channels, channels, kernel));
}

/** A dense layer of C channels, with C² multiply-adds, reshaped step by step into more points with fewer channels. */
function progressive(channels: number): Shape[] {
  const shape = (height: number, width: number, cin: number, cout: number): Shape => ({
    ...square(1, cin, cout, 1),
    height,
    width,
  });
  return [
    shape(1, 1, channels, channels),
    shape(1, 2, channels, channels / 2),
    shape(2, 2, channels, channels / 4),
    shape(2, 2, channels / 2, channels / 2),
    shape(4, 4, channels / 4, channels / 4),
  ];
}

function dense(batches: readonly number[], channels: number): Shape[] {
  return batches.map((batch) => ({ ...square(1, channels, channels, 1), batch }));
}

/**
 * The eight series in the figures of Asperti, Evangelista and Marzolla (2021, arXiv 2107.11949), by their names in the authors'
 * data set. They have 721 points, of which 714 are different.
 */
export const PAPER_SERIES: Readonly<Record<string, readonly Shape[]>> = {
  conv_K_vs_S: [50, 70, 100, 150].flatMap(kernelAgainstSide),
  increasing_W: [50, 100, 150].flatMap((cin) =>
    GROWING_AXIS.map((height) => ({ ...square(100, cin, 100, 3), height })),
  ),
  increasing_Cout: [50, 100, 150].flatMap((cin) => GROWING_AXIS.map((cout) => square(100, cin, cout, 3))),
  increasing_Cout_with_K1: [100, 200, 300].flatMap((width) =>
    GROWING_AXIS.map((cout) => ({ ...square(300, 50, cout, 1), width })),
  ),
  conv_K_vs_C: [1500, 2100, 3000, 4500].flatMap((product) =>
    range(1, 28).map((kernel) => {
      const channels = Math.floor(product / kernel);
      return square(10, channels, channels, kernel);
    }),
  ),
  conv_fixed_progressive: PROGRESSIVE_CHANNELS.flatMap(progressive),
  'incresing_Cin_100-1000': [1, 3, 5].flatMap((kernel) =>
    range(100, 1000, 100).map((cin) => square(10, cin, 1000, kernel)),
  ),
  increasing_batch: [
    ...[6400, 9050, 11_085].flatMap((channels) => dense(GROWING_BATCH, channels)),
    ...dense(range(1, 63, 2), 12_800),
  ],
};

/** Always the same order, so that a smaller plan is the start of a larger one. */
const ORDER_SEED = 1;

export const paperSeries: Design = {
  name: 'paper-series',
  description: 'the eight series of the 2021 paper’s figures, in a fixed mixed order',
  endless: false,
  candidates({ dtypes }) {
    const specs = dtypes.flatMap((dtype: Dtype) =>
      Object.values(PAPER_SERIES)
        .flat()
        .map((shape): ConvSpec => ({ ...CONV_SPEC_DEFAULTS, ...shape, dtype })),
    );
    // The order is mixed, so that a slow drift of the device does not look like an effect of an axis, and so that a
    // small budget has points of every series.
    return new Draws(ORDER_SEED).shuffled(specs);
  },
};
