import { cbrt, exp, log, pow } from '@alphaflops/elementary';
import type { ParameterDefinition } from '../form.js';
import type { Shape } from './shape.js';

const { ceil, max, min, sqrt } = Math;

/**
 * Output tiles (points × channels) that one processor computes at a time. On a serial device (one processor) a tile may
 * be as small as a single output, so that time can be proportional to the work.
 */
const PARALLEL_TILES = [[32, 32], [64, 64], [128, 64], [64, 128], [128, 128], [256, 128]] as const; // prettier-ignore
const SERIAL_TILES = [[1, 1], [1, 8], [8, 8], [32, 32], [64, 64], [128, 128]] as const; // prettier-ignore
const TILES = 6;

export const tilesOf = (processors: number): readonly (readonly [number, number])[] =>
  processors === 1 ? SERIAL_TILES : PARALLEL_TILES;

/** Multiply-adds along Cin·K that a tile does in one step. */
const STEP_DEPTH = 32;
/** Steps that a part of a split accumulation has at least. */
const MIN_STEPS_OF_A_PART = 4;
/** Side of the tiles of a Fourier-transform convolution. */
const FOURIER_TILE = 32;
/** The soft minimum over tiles is sharp by the sixth power; products are several times as quick as `**`. */
const sixth = (x: number): number => {
  const cube = x * x * x;
  return cube * cube;
};

/** Largest distance of a logarithm from the start of the search. */
const REACH = 12;

const logarithmic = (name: string, unit: string, start: number, description: string) => ({
  name,
  unit,
  start,
  description,
  lower: 0,
  upper: Infinity,
});
const slowdown = (name: string, description: string) => ({
  name,
  unit: '1',
  start: 0.1,
  description,
  lower: 0,
  upper: 5,
});
/**
 * Parameters of the formula in the order of every vector, for a device of so many processors, with the values to start
 * from (an NVIDIA H100; a search starts from these times one factor for the device).
 */
export function tileWaveParameters(
  processors: number,
): readonly (ParameterDefinition & { readonly start: number })[] {
  const tiles = tilesOf(processors).map(([points, channels]) => ({
    tile: `${points}x${channels}`,
    step: 3e-4 * pow((points * channels) / 4096, 0.7),
  }));
  return [
    logarithmic('t0', 'ms', 2e-3, 'time of the smallest convolution: launch cost'),
    ...tiles.map(({ tile, step }) =>
      logarithmic(
        `a_${tile}`,
        'ms',
        processors === 1 ? step : 2e-3,
        `fixed time of a tile of ${tile} outputs`,
      ),
    ),
    ...tiles.map(({ tile, step }) =>
      logarithmic(
        `b_${tile}`,
        'ms per step',
        step,
        'time of one step of 32 multiply-adds per output of a tile',
      ),
    ),
    logarithmic('m_in', 'ms/MB', 4e-4, 'time to read the input'),
    logarithmic('m_out', 'ms/MB', 4e-4, 'time to write the output'),
    logarithmic('m_w', 'ms/MB', 4e-4, 'time to read the weights'),
    logarithmic('split', '1', 5, 'steps are split over idle processors; the larger, the less it costs'),
    slowdown('u', 'log slow-down when input channels are not aligned to 16 bytes'),
    slowdown('v', 'log slow-down when output channels are not aligned to 16 bytes'),
    logarithmic('z_w', 'ms per 10⁴ channel pairs', 1e-4, 'time to transform the weights'),
    logarithmic(
      'z_f',
      'ms per 10⁴ channel pairs and tile',
      1e-4,
      'products of a Fourier-transform convolution',
    ),
  ];
}

const DEFINITIONS = tileWaveParameters(2);
/** Number of parameters. */
export const P = DEFINITIONS.length;
const [SPLIT, U, V] = [16, 17, 18];
/** Whether a parameter is searched as a logarithm; its vectors then hold the logarithm. */
export const isLogarithmic = (j: number): boolean => j !== U && j !== V;

/** A parameter vector as values. */
export function valuesOf(vector: ArrayLike<number>, out = new Float64Array(P)): Float64Array {
  for (let j = 0; j < P; j++) out[j] = isLogarithmic(j) ? exp(vector[j] ?? 0) : (vector[j] ?? 0);
  return out;
}

/** Start of a search on a device that is `factor` times as slow as the one the start values are of. */
export function startVector(processors: number, factor: number): Float64Array {
  return Float64Array.from(tileWaveParameters(processors), ({ start, unit }, j) =>
    isLogarithmic(j) ? log(unit.startsWith('ms') ? start * factor : start) : start,
  );
}

/** Bounds of a search around `centre`: logarithms at most `reach` away, the others within their definition. */
export function boundsAround(
  centre: Float64Array,
  reach = REACH,
): { lower: Float64Array; upper: Float64Array } {
  const bound = (side: 'lower' | 'upper', sign: number) =>
    Float64Array.from(DEFINITIONS, (definition, j) =>
      isLogarithmic(j) ? (centre[j] ?? 0) + sign * reach : definition[side],
    );
  return { lower: bound('lower', -1), upper: bound('upper', 1) };
}

/** Width of a row: three times of bytes, two of channel pairs, two alignments, κ, and per tile w and σ − 1. */
export const ROW = 8 + 2 * TILES;
const [IN, OUT, WEIGHTS, PAIRS, FOURIER, CIN_ODD, COUT_ODD, KAPPA, WAVES, SPLITS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 14,
];

/** Writes what the formula needs of a shape, on a device of so many processors, into `rows` from `offset`. */
export function fillRow(shape: Shape, processors: number, rows: Float64Array, offset: number): void {
  const { spec, points, kernel, groupCin, groupCout, alignment } = shape;
  const fourierTiles = (size: number, side: number): number =>
    ceil(size / (FOURIER_TILE + 1 - min(side, FOURIER_TILE - 1)));
  const pairs = (groupCin * spec.cout) / 1e4;
  const cinAligned =
    groupCin % alignment === 0 &&
    // a 1×1 convolution is a matrix product whose other side is the image
    (kernel > 1 || (shape.outputHeight * shape.outputWidth) % alignment === 0);
  const depth = processors === 1 ? 1 : STEP_DEPTH;
  const steps = ceil((groupCin * kernel) / depth) * (depth / STEP_DEPTH);
  rows[offset + IN] = shape.inputMb;
  rows[offset + OUT] = shape.outputMb;
  rows[offset + WEIGHTS] = shape.weightsMb;
  rows[offset + PAIRS] = pairs;
  rows[offset + FOURIER] =
    spec.batch * fourierTiles(spec.height, spec.kernel_h) * fourierTiles(spec.width, spec.kernel_w) * pairs;
  rows[offset + CIN_ODD] = cinAligned ? 0 : 1;
  rows[offset + COUT_ODD] = groupCout % alignment === 0 ? 0 : 1;
  rows[offset + KAPPA] = steps;
  tilesOf(processors).forEach(([tilePoints, tileChannels], j) => {
    const tiles = ceil(points / tilePoints) * ceil(groupCout / tileChannels) * spec.groups;
    const waves = tiles / processors;
    // half of the last, partly filled wave counts
    rows[offset + WAVES + j] = max(1, waves + 0.5 * (ceil(waves) - waves));
    const most = max(steps / MIN_STEPS_OF_A_PART, 1);
    rows[offset + SPLITS + j] = min(max(processors / tiles, 1), most) - 1;
  });
}

const time = new Float64Array(TILES);

/**
 * Milliseconds of one row: t0 + P·(Σ T_j⁻⁶)^(−1/6) + m_in·MB_in + m_out·MB_out + m_w·MB_w + z_w·pairs + z_f·pairs·tiles,
 * T_j = w_j·(a_j + b_j·k_j), k_j = κ / (1 + (σ_j − 1) / (1 + split)), P = exp(u·[Cin unaligned] + v·[Cout unaligned]).
 */
export function tileWaveMs(p: Float64Array, rows: Float64Array, row: number): number {
  const tile = softMinimum(p, rows, row);
  const unaligned = (p[U] ?? 0) * (rows[row + CIN_ODD] ?? 0) + (p[V] ?? 0) * (rows[row + COUT_ODD] ?? 0);
  return (p[0] ?? 0) + (unaligned === 0 ? tile : exp(unaligned) * tile) + linearMs(p, rows, row);
}

/** Fills `time` and returns the soft minimum of it. */
function softMinimum(p: Float64Array, rows: Float64Array, row: number): number {
  const kappa = rows[row + KAPPA] ?? 0;
  const splitting = 1 / (1 + (p[SPLIT] ?? 0));
  let least = Infinity;
  for (let j = 0; j < TILES; j++) {
    const steps = kappa / (1 + (rows[row + SPLITS + j] ?? 0) * splitting);
    const t = (rows[row + WAVES + j] ?? 0) * ((p[1 + j] ?? 0) + (p[7 + j] ?? 0) * steps);
    time[j] = t;
    if (t < least) least = t;
  }
  let sum = 0;
  for (let j = 0; j < TILES; j++) sum += sixth(least / (time[j] ?? 0));
  return least / cbrt(sqrt(sum));
}

function linearMs(p: Float64Array, rows: Float64Array, row: number): number {
  return (
    (p[13] ?? 0) * (rows[row + IN] ?? 0) +
    (p[14] ?? 0) * (rows[row + OUT] ?? 0) +
    (p[15] ?? 0) * (rows[row + WEIGHTS] ?? 0) +
    (p[19] ?? 0) * (rows[row + PAIRS] ?? 0) +
    (p[20] ?? 0) * (rows[row + FOURIER] ?? 0)
  );
}

/** As {@link tileWaveMs}; fills `gradient` with ∂ log t / ∂ vector (logarithms where they are searched as such). */
export function tileWaveGradient(
  p: Float64Array,
  rows: Float64Array,
  row: number,
  gradient: Float64Array,
): number {
  const soft = softMinimum(p, rows, row);
  const cinOdd = rows[row + CIN_ODD] ?? 0;
  const coutOdd = rows[row + COUT_ODD] ?? 0;
  const tile = soft * exp((p[U] ?? 0) * cinOdd + (p[V] ?? 0) * coutOdd);
  const ms = (p[0] ?? 0) + tile + linearMs(p, rows, row);
  gradient[0] = (p[0] ?? 0) / ms;
  gradient[13] = ((p[13] ?? 0) * (rows[row + IN] ?? 0)) / ms;
  gradient[14] = ((p[14] ?? 0) * (rows[row + OUT] ?? 0)) / ms;
  gradient[15] = ((p[15] ?? 0) * (rows[row + WEIGHTS] ?? 0)) / ms;
  gradient[19] = ((p[19] ?? 0) * (rows[row + PAIRS] ?? 0)) / ms;
  gradient[20] = ((p[20] ?? 0) * (rows[row + FOURIER] ?? 0)) / ms;
  gradient[U] = (tile / ms) * cinOdd;
  gradient[V] = (tile / ms) * coutOdd;
  const kappa = rows[row + KAPPA] ?? 0;
  const split = p[SPLIT] ?? 0;
  const splitting = 1 / (1 + split);
  let bySplit = 0;
  for (let j = 0; j < TILES; j++) {
    // share of this tile in the soft minimum, and in the time
    const share = (sixth(soft / (time[j] ?? 0)) * tile) / ms;
    if (share < 1e-9) {
      gradient[1 + j] = 0;
      gradient[7 + j] = 0;
      continue;
    }
    const more = (rows[row + SPLITS + j] ?? 0) * splitting;
    const stepsMs = ((p[7 + j] ?? 0) * kappa) / (1 + more);
    const fixedMs = p[1 + j] ?? 0;
    const ofSteps = (share * stepsMs) / (fixedMs + stepsMs);
    gradient[1 + j] = share - ofSteps;
    gradient[7 + j] = ofSteps;
    bySplit += (ofSteps * more * splitting * split) / (1 + more);
  }
  gradient[SPLIT] = bySplit;
  return ms;
}
