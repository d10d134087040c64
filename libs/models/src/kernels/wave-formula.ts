import { GATES, type Gate } from '../axes/gates.js';
import type { Shape } from '../axes/shape.js';
import { placesOf, type ParameterDefinition, type ParameterUnit } from '../form.js';

const { ceil } = Math;

/** How a kernel divides its work. The fit finds it by trying all tilings. */
export interface Tiling {
  /** Output points and output channels of a tile. */
  readonly points: number;
  readonly channels: number;
  /** Number of tiles that one processor computes at the same time. */
  readonly perProcessor: number;
  /** Number of input channels of one kernel point in a step; 0: a step has 32 elements along Cin·K. */
  readonly depth: number;
}

const SIDES = [32, 64, 128, 256];
/** Tile shapes; and ways to fill a processor and to divide steps, which are tried with the best tile shape. */
export const TILE_SHAPES: readonly Tiling[] = SIDES.flatMap((points) =>
  SIDES.map((channels) => ({ points, channels, perProcessor: 1, depth: 0 })),
);
export const variantsOf = ({ points, channels }: Tiling): Tiling[] =>
  [1, 2].flatMap((perProcessor) =>
    [0, 8, 16, 32, 64].map((depth) => ({ points, channels, perProcessor, depth })),
  );

/** Multiply-adds along Cin·K of one step. */
const STEP = 32;

const term = <Name extends string>(name: Name, unit: ParameterUnit, description: string) => ({
  ...{ name, unit, description },
  lower: 0,
  upper: Infinity,
});
const COEFFICIENTS = [
  term('t0', { per: '' }, 'time of the smallest convolution: launch cost'),
  term('wave_step', { per: '' }, 'a step of all tiles of a wave'),
  term('wave', { per: '' }, 'a wave of tiles: prologue and epilogue'),
  term('step', { per: '' }, 'a step of tiles that share the processors evenly, without waves'),
  term('m_in', { per: '/MB' }, 'time to read the input'),
  term('m_w', { per: '/MB' }, 'time to read the weights'),
  term('m_out', { per: '/MB' }, 'time to write the output'),
  term('pad', { per: '' }, 'launch of the copy that pads uneven kernels'),
  term('m_pad', { per: '/MB' }, 'time of the copy that pads uneven kernels'),
];
/** Coefficients of the formula, in the order of every vector. */
export const WAVE_PARAMETERS: readonly ParameterDefinition[] = COEFFICIENTS;
export const TERMS = COEFFICIENTS.length;
const PLACE = placesOf(COEFFICIENTS);
// Constants, because access to a property in the innermost loop costs time.
const { t0: T0, wave_step: WAVE_STEP, wave: WAVE, step: EVEN_STEP, m_in: M_IN } = PLACE;
const { m_w: M_W, m_out: M_OUT, pad: PAD, m_pad: M_PAD } = PLACE;

/** Tiles, waves and steps of a shape under a tiling. */
export interface WaveCounts {
  tiles: number;
  waves: number;
  /** Number of whole waves. */
  steps: number;
}

export function countWaves(
  { points, groupCin, groupCout, kernel, spec }: Shape,
  tiling: Tiling,
  parts: number,
  processors: number,
): WaveCounts {
  const tiles = ceil(points / tiling.points) * ceil(groupCout / tiling.channels) * spec.groups * parts;
  const all =
    tiling.depth === 0
      ? ceil((groupCin * kernel) / STEP)
      : (kernel * ceil(groupCin / tiling.depth) * tiling.depth) / STEP;
  return { tiles, waves: ceil(tiles / (processors * tiling.perProcessor)), steps: all / parts };
}

/** Writes the terms of one shape: `out[j·stride]` is the factor of coefficient j, in the denominator of its unit. */
export function fillTerms(
  shape: Shape,
  counts: WaveCounts,
  processors: number,
  out: Float64Array,
  offset = 0,
  stride = 1,
): void {
  const { tiles, waves, steps } = counts;
  const { kernel_h, kernel_w, padding } = shape.spec;
  // frameworks make a padded copy if the two sides differ
  const copied = padding === 'same' && (kernel_h % 2 === 0 || kernel_w % 2 === 0) ? 1 : 0;
  out[offset + T0 * stride] = 1;
  out[offset + WAVE_STEP * stride] = waves * steps;
  out[offset + WAVE * stride] = waves;
  out[offset + EVEN_STEP * stride] = (tiles / processors) * steps;
  out[offset + M_IN * stride] = shape.inputMb;
  out[offset + M_W * stride] = shape.weightsMb;
  out[offset + M_OUT * stride] = shape.outputMb;
  out[offset + PAD * stride] = copied;
  out[offset + M_PAD * stride] = copied * shape.inputMb;
}

const yes = (condition: boolean): number => (condition ? 1 : 0);

/** Properties that determine how a kernel loads and stores. A split on them needs only a few shapes. */
const ALIGNMENT_GATES: readonly Gate[] = [
  {
    name: '16B|cin/g',
    description: 'input channels of a group divide into 16 bytes',
    value: ({ groupCin, alignment }) => yes(groupCin % alignment === 0),
  },
  {
    name: '16B|cout/g',
    description: 'output channels of a group divide into 16 bytes',
    value: ({ groupCout, alignment }) => yes(groupCout % alignment === 0),
  },
];
const ALIGNMENT_NAMES = new Set([
  '4|cin/g',
  '4|cout/g',
  '4|both',
  'K',
  ...ALIGNMENT_GATES.map(({ name }) => name),
]);

/** Properties whose thresholds separate the regimes of a kernel. Models store them by name. */
export const WAVE_GATES: readonly Gate[] = [...GATES, ...ALIGNMENT_GATES];
/** Whether a gate is about alignment. */
export const isAlignment: readonly boolean[] = WAVE_GATES.map(({ name }) => ALIGNMENT_NAMES.has(name));
