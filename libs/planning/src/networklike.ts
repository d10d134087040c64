import { canonicalSpec, CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import type { Design, DesignRequest } from './design.js';
import { Draws } from './draws.js';
import { isWithin, type Range } from './range.js';

/**
 * Feature-map sides of image networks at their usual input sizes: 224 (ResNet, VGG, MobileNet, EfficientNet,
 * DenseNet), 299 (Inception, Xception), 227 (AlexNet), 416 and 320 (YOLO, SSD), 256 and 512 (U-Net), halved stage by
 * stage down to the 1×1 of squeeze-and-excitation.
 */
// prettier-ignore
const SIDES = [
  1, 4, 5, 7, 8, 10, 12, 13, 14, 16, 17, 20, 24, 26, 27, 28, 32, 35, 40, 48, 52, 55, 56, 64, 71, 80, 96, 104, 112, 128,
  149, 160, 192, 208, 224, 256, 299, 320, 416, 512,
] as const;

/** Channel counts that the same families use, from the RGB input to the last stage of ResNet. */
// prettier-ignore
const CHANNELS = [
  3, 8, 16, 24, 32, 40, 48, 64, 72, 80, 96, 112, 128, 144, 160, 192, 240, 256, 288, 320, 384, 448, 480, 512, 576, 640,
  672, 768, 832, 960, 1024, 1152, 1280, 1536, 2048,
] as const;

/** `share` is how often a kernel is drawn; the shares add up to 1. */
const KERNELS = [
  { share: 0.35, sides: [1, 1] },
  { share: 0.43, sides: [3, 3] },
  { share: 0.09, sides: [5, 5] },
  { share: 0.09, sides: [7, 7] },
  // Factorised kernels, as in Inception, in both directions.
  { share: 0.02 / 3, sides: [1, 3] },
  { share: 0.02 / 3, sides: [3, 1] },
  { share: 0.02 / 3, sides: [1, 5] },
  { share: 0.02 / 3, sides: [5, 1] },
  { share: 0.02 / 3, sides: [1, 7] },
  { share: 0.02 / 3, sides: [7, 1] },
] as const;

const BATCHES = [2, 4, 8, 16, 32] as const;
const GROUPS = [2, 4, 8] as const;
const SHARE = {
  square: 0.915,
  batchOne: 0.545,
  strideTwo: 0.18,
  depthwise: 0.077,
  grouped: 0.028,
  /** Architecture search and pruning also give multiples of 8 and odd counts. */
  usualChannels: 0.75,
  multipleOfEight: 0.15,
} as const;
/** Makes the seed of the variants differ from the seed of the shapes. */
const VARIANTS = 0x5bd1e995;
const RANGE: Range = { minMacs: 1e4, maxMacs: 6.2e10, maxActivations: 7.5e8 };

function kernel(draws: Draws): readonly [number, number] {
  let left = draws.uniform();
  for (const { share, sides } of KERNELS) {
    left -= share;
    if (left < 0) return sides;
  }
  return KERNELS[0].sides;
}

function channels(draws: Draws): number {
  const kind = draws.uniform();
  if (kind < SHARE.usualChannels) return draws.oneOf(CHANNELS);
  return kind < SHARE.usualChannels + SHARE.multipleOfEight
    ? 8 * draws.integer(1, 160)
    : draws.integer(1, 1024);
}

/** Number of groups: `cin` for a depthwise convolution, which then has as many outputs. */
function groups(draws: Draws, cin: number, cout: number): number {
  const kind = draws.uniform();
  if (kind < SHARE.depthwise) return cin;
  if (kind >= SHARE.depthwise + SHARE.grouped) return 1;
  const count = draws.oneOf(GROUPS);
  return cin % count === 0 && cout % count === 0 ? count : 1;
}

// An object literal instead of a spread: a plan makes a million of them, and a spread takes ten times as long.
function candidate(draws: Draws, { dtypes }: DesignRequest): ConvSpec {
  const height = draws.oneOf(SIDES);
  const width = draws.chance(SHARE.square) ? height : draws.oneOf(SIDES);
  const [kernel_h, kernel_w] = kernel(draws);
  const cin = channels(draws);
  const cout = channels(draws);
  const group = groups(draws, cin, cout);
  return {
    batch: draws.chance(SHARE.batchOne) ? 1 : draws.oneOf(BATCHES),
    height,
    width,
    cin,
    cout: group === cin && group > 1 ? cin : cout,
    kernel_h,
    kernel_w,
    stride: draws.chance(SHARE.strideTwo) && Math.min(height, width) > 1 ? 2 : 1,
    groups: group,
    dtype: draws.oneOf(dtypes),
    padding: CONV_SPEC_DEFAULTS.padding,
    layout: CONV_SPEC_DEFAULTS.layout,
  };
}

/** Dilations in segmentation networks (DeepLab, PSPNet, CSRNet) and in networks like WaveNet. */
const DILATIONS = [2, 2, 2, 3, 4, 6, 12] as const;
/** Shares of the geometries that the basic fields cannot describe. */
const GEOMETRY_SHARE = { dilated: 0.15, strideByAxis: 0.08, padded: 0.12 } as const;

/**
 * The shape unchanged; or dilated (both axes, or the longer side of a kernel of one row); or with a stride along only one axis
 * (text and audio networks pool one axis); or with padding of half the kernel on all sides, or of only one row.
 */
function variant(draws: Draws, spec: ConvSpec): ConvSpec {
  const { kernel_h, kernel_w } = spec;
  const kind = draws.uniform();
  const { dilated, strideByAxis, padded } = GEOMETRY_SHARE;
  if (kind < dilated) {
    const dilation = draws.oneOf(DILATIONS);
    return canonicalSpec({ ...spec, stride: 1, dilation_h: dilation, dilation_w: dilation });
  }
  if (kind < dilated + strideByAxis) {
    const [stride_h, stride_w] = draws.chance(0.5) ? [2, 1] : [1, 2];
    return canonicalSpec({ ...spec, stride_h, stride_w });
  }
  if (kind < dilated + strideByAxis + padded) {
    const [rows, columns] = draws.chance(0.7) ? [kernel_h >> 1, kernel_w >> 1] : [1, 1];
    const pads = { pad_top: rows, pad_bottom: rows, pad_left: columns, pad_right: columns };
    return canonicalSpec({ ...spec, padding: 'explicit', ...pads });
  }
  return spec;
}

/** Shapes as in networks. Each axis is drawn independently, so that a model sees every combination. */
export const networklike: Design = {
  name: 'networklike',
  description: 'sizes, channel counts, kernels, strides, groups and batches of image networks',
  endless: true,
  *candidates(request) {
    const draws = new Draws(request.seed);
    // Variants have their own random draws, so that plans without variants stay the same.
    const variants = request.allGeometries ? new Draws((request.seed ^ VARIANTS) >>> 0) : null;
    for (;;) {
      const drawn = candidate(draws, request);
      const spec = variants === null ? drawn : variant(variants, drawn);
      if (isWithin(RANGE, spec)) yield spec;
    }
  },
};
