import { CONV_SPEC_DEFAULTS, type ConvSpec, type Dtype } from '@alphaflops/conv';
import type { Design, DesignRequest } from './design.js';
import { Draws } from './draws.js';

/** One point of an experiment, by the axes that its authors vary. */
interface Point {
  readonly height: number;
  readonly width: number;
  readonly cin: number;
  readonly cout: number;
  /** Side of the square kernel. */
  readonly kernel: number;
}

/** `first`, `first` + 1, … `last`. */
function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Rounds a half to the even neighbour, as Python's `round` does. The authors computed their sizes with it. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** Doublings of the channels in experiment A. */
const SCALES = range(0, 8).map((i) => 1 << i);
const KERNELS = range(1, 30);
const GROWING = range(1, 649);

/**
 * The experiments A–G of the replication (Barba Roque and Cruz, EASE 2026, arXiv 2608.14550), with the same points as in its
 * published script `replication.py`. Its README exchanges B and C. We use the letters of the script, because its data files
 * use them.
 */
const EXPERIMENTS: Readonly<Record<string, { description: string; points: readonly Point[] }>> = {
  A: {
    description:
      'channels doubled eight times at equal multiply-adds on 1×2, 2×2 and 4×4 points, 1×1 kernels',
    points: SCALES.flatMap((scale) => [
      { height: 1, width: 2, cin: 100 * scale, cout: 50 * scale, kernel: 1 },
      { height: 2, width: 2, cin: 50 * scale, cout: 50 * scale, kernel: 1 },
      { height: 4, width: 4, cin: 25 * scale, cout: 25 * scale, kernel: 1 },
    ]),
  },
  B: {
    description: 'kernels 1–30 against channels, their product 1500, 2100, 3000 or 4500, on 10×10 points',
    points: [1500, 2100, 3000, 4500].flatMap((product) =>
      KERNELS.map((kernel) => {
        const channels = roundHalfEven(product / kernel);
        return { height: 10, width: 10, cin: channels, cout: channels, kernel };
      }),
    ),
  },
  C: {
    description: 'kernels 1–30 against side, their product 300, with 50, 70, 100 or 150 channels',
    points: [50, 70, 100, 150].flatMap((channels) =>
      KERNELS.map((kernel) => {
        const side = roundHalfEven(300 / kernel);
        return { height: side, width: side, cin: channels, cout: channels, kernel };
      }),
    ),
  },
  D: {
    description:
      'width 1–649 with 50, 100 or 150 input channels; height and output channels 100, 3×3 kernels',
    points: [50, 100, 150].flatMap((cin) =>
      GROWING.map((width) => ({ height: 100, width, cin, cout: 100, kernel: 3 })),
    ),
  },
  E: {
    description: 'output channels 1–649 with 50, 100 or 150 input channels on 100×100 points, 3×3 kernels',
    points: [50, 100, 150].flatMap((cin) =>
      GROWING.map((cout) => ({ height: 100, width: 100, cin, cout, kernel: 3 })),
    ),
  },
  F: {
    description:
      'output channels 1–649 with height 100, 200 or 300; width 100, 50 input channels, 1×1 kernels',
    points: [100, 200, 300].flatMap((height) =>
      GROWING.map((cout) => ({ height, width: 100, cin: 50, cout, kernel: 1 })),
    ),
  },
  G: {
    description: 'input channels 1–999 with kernels 1, 3 or 5; 1000 output channels on 10×10 points',
    points: [1, 3, 5].flatMap((kernel) =>
      range(1, 999).map((cin) => ({ height: 10, width: 10, cin, cout: 1000, kernel })),
    ),
  },
};

const GRID = {
  kernels: range(1, 14),
  // prettier-ignore
  channels: [
    10, 20, 30, 40, 50, 60, 70, 80, 90,
    100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800, 850, 900, 950, 1000, 1050,
    1600, 3200,
  ],
  sides: [1, 2, 4, 8, 16, 32, 64, 96, 128, 256],
} as const;

/** The sweep that the replication fits its coefficients to (`regression.py`): 14 kernels × 31 × 31 channels × 10 sides. */
function gridPoints(): Point[] {
  return GRID.kernels.flatMap((kernel) =>
    GRID.channels.flatMap((cin) =>
      GRID.channels.flatMap((cout) =>
        GRID.sides.map((side) => ({ height: side, width: side, cin, cout, kernel })),
      ),
    ),
  );
}

/** Always the same order, so that a smaller plan is the start of a larger one. */
const ORDER_SEED = 1;

/** The points in a fixed mixed order: a small budget has points of every part, and drift of the device follows no axis. */
function mixed(points: readonly Point[], { dtypes }: DesignRequest): ConvSpec[] {
  const specs = dtypes.flatMap((dtype) => points.map((point) => specOf(point, dtype)));
  return new Draws(ORDER_SEED).shuffled(specs);
}

// An object literal instead of a spread: the grid makes 134,540 of them, and a spread takes ten times as long.
function specOf({ height, width, cin, cout, kernel }: Point, dtype: Dtype): ConvSpec {
  return {
    batch: CONV_SPEC_DEFAULTS.batch,
    height,
    width,
    cin,
    cout,
    kernel_h: kernel,
    kernel_w: kernel,
    stride: CONV_SPEC_DEFAULTS.stride,
    groups: CONV_SPEC_DEFAULTS.groups,
    dtype,
    padding: CONV_SPEC_DEFAULTS.padding,
    layout: CONV_SPEC_DEFAULTS.layout,
  };
}

/** `replication-A` … `replication-G`, then `replication-grid`. */
export const REPLICATION: readonly Design[] = [
  ...Object.entries(EXPERIMENTS).map(([letter, { description, points }]) => ({
    name: `replication-${letter}`,
    description,
    endless: false,
    candidates: (request: DesignRequest) => mixed(points, request),
  })),
  {
    name: 'replication-grid',
    description: '14 kernels × 31 × 31 channels × 10 sides: what the replication fits its coefficients to',
    endless: false,
    candidates: (request) => mixed(gridPoints(), request),
  },
];
