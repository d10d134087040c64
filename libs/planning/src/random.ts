import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import type { Design, DesignRequest } from './design.js';
import { isWithin, type Range } from './range.js';
import { Draws } from './draws.js';

const MAX_SIDE = 512;
const MAX_CHANNELS = 2048;
const SQUARE_SHARE = 0.7;
/** Kernels to draw from. Common kernels are in the list more often, so that they are drawn more often. */
const KERNELS = [1, 1, 1, 2, 3, 3, 3, 3, 4, 5, 5, 7, 9, 11] as const;
const OTHER_WIDTHS = [1, 3, 5, 7] as const;
const OTHER_WIDTH_SHARE = 0.065;
const RANGE: Range = { minMacs: 1e4, maxMacs: 1e11, maxActivations: 5e8 };

function candidate(draws: Draws, { dtypes }: DesignRequest): ConvSpec {
  const height = draws.logInteger(1, MAX_SIDE);
  const kernel = draws.oneOf(KERNELS);
  return {
    batch: CONV_SPEC_DEFAULTS.batch,
    height,
    width: draws.chance(SQUARE_SHARE) ? height : draws.logInteger(1, MAX_SIDE),
    cin: draws.logInteger(1, MAX_CHANNELS),
    cout: draws.logInteger(1, MAX_CHANNELS),
    kernel_h: kernel,
    kernel_w: draws.chance(OTHER_WIDTH_SHARE) ? draws.oneOf(OTHER_WIDTHS) : kernel,
    stride: CONV_SPEC_DEFAULTS.stride,
    groups: CONV_SPEC_DEFAULTS.groups,
    dtype: draws.oneOf(dtypes),
    padding: CONV_SPEC_DEFAULTS.padding,
    layout: CONV_SPEC_DEFAULTS.layout,
  };
}

/** The whole space of convolutions, not only the shapes that networks use. */
export const random: Design = {
  name: 'random',
  description: 'height and width 1–512, cin and cout 1–2048, log-uniform; kernels 1–11; batch 1, stride 1',
  endless: true,
  *candidates(request) {
    const draws = new Draws(request.seed);
    for (;;) {
      const spec = candidate(draws, request);
      if (isWithin(RANGE, spec)) yield spec;
    }
  },
};
