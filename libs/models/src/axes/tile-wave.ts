import { cbrt, exp } from '@alphaflops/elementary';
import type { Shape } from './shape.js';
import { PLACE, TILES, tilesOf } from './tile-wave-parameters.js';

const { ceil, max, min, sqrt } = Math;

/** Number of multiply-adds along Cin·K in one step of a tile. */
const STEP_DEPTH = 32;
/** Minimum number of steps in a part of a split accumulation. */
const MIN_STEPS_OF_A_PART = 4;
/** Side of the tiles of a Fourier-transform convolution. */
const FOURIER_TILE = 32;
/** The soft minimum over tiles uses the sixth power. Products are several times as fast as `**`. */
const sixth = (x: number): number => {
  const cube = x * x * x;
  return cube * cube;
};

// Constants, because access to a property in the innermost loop costs time.
const { t0: T0, a: A, b: B, m_in: M_IN, m_out: M_OUT, m_w: M_W } = PLACE;
const { split: SPLIT, u: U, v: V, z_w: Z_W, z_f: Z_F } = PLACE;

/** Width of a row: three terms of bytes, two of channel pairs, two alignments, κ, and w and σ − 1 for each tile. */
export const ROW = 8 + 2 * TILES;
const [IN, OUT, WEIGHTS, PAIRS, FOURIER, CIN_ODD, COUT_ODD, KAPPA, WAVES, SPLITS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 14,
];

/** Writes the row of a shape, on a device with this number of processors, into `rows` from `offset`. */
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

/** Shapes of one kernel family as rows of the formula, with the logarithms of their times in milliseconds. */
export interface TileWaveData {
  readonly rows: Float64Array;
  /** Elements of one row. */
  readonly stride: number;
  readonly logCost: Float64Array;
}

const time = new Float64Array(TILES);

/**
 * Milliseconds of one row: t0 + P·(Σ T_j⁻⁶)^(−1/6) + m_in·MB_in + m_out·MB_out + m_w·MB_w + z_w·pairs + z_f·pairs·tiles,
 * T_j = w_j·(a_j + b_j·k_j), k_j = κ / (1 + (σ_j − 1) / (1 + split)), P = exp(u·[Cin unaligned] + v·[Cout unaligned]).
 */
export function tileWaveMs(p: Float64Array, rows: Float64Array, row: number): number {
  const tile = softMinimum(p, rows, row);
  const unaligned = (p[U] ?? 0) * (rows[row + CIN_ODD] ?? 0) + (p[V] ?? 0) * (rows[row + COUT_ODD] ?? 0);
  return (p[T0] ?? 0) + (unaligned === 0 ? tile : exp(unaligned) * tile) + linearMs(p, rows, row);
}

/** Fills `time` and returns its soft minimum. */
function softMinimum(p: Float64Array, rows: Float64Array, row: number): number {
  const kappa = rows[row + KAPPA] ?? 0;
  const splitting = 1 / (1 + (p[SPLIT] ?? 0));
  let least = Infinity;
  for (let j = 0; j < TILES; j++) {
    const steps = kappa / (1 + (rows[row + SPLITS + j] ?? 0) * splitting);
    const t = (rows[row + WAVES + j] ?? 0) * ((p[A + j] ?? 0) + (p[B + j] ?? 0) * steps);
    time[j] = t;
    if (t < least) least = t;
  }
  let sum = 0;
  for (let j = 0; j < TILES; j++) sum += sixth(least / (time[j] ?? 0));
  return least / cbrt(sqrt(sum));
}

function linearMs(p: Float64Array, rows: Float64Array, row: number): number {
  return (
    (p[M_IN] ?? 0) * (rows[row + IN] ?? 0) +
    (p[M_OUT] ?? 0) * (rows[row + OUT] ?? 0) +
    (p[M_W] ?? 0) * (rows[row + WEIGHTS] ?? 0) +
    (p[Z_W] ?? 0) * (rows[row + PAIRS] ?? 0) +
    (p[Z_F] ?? 0) * (rows[row + FOURIER] ?? 0)
  );
}

/** As {@link tileWaveMs}; fills `gradient` with ∂ log t / ∂ vector (of the logarithms, for parameters that the search uses as logarithms). */
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
  const ms = (p[T0] ?? 0) + tile + linearMs(p, rows, row);
  gradient[T0] = (p[T0] ?? 0) / ms;
  gradient[M_IN] = ((p[M_IN] ?? 0) * (rows[row + IN] ?? 0)) / ms;
  gradient[M_OUT] = ((p[M_OUT] ?? 0) * (rows[row + OUT] ?? 0)) / ms;
  gradient[M_W] = ((p[M_W] ?? 0) * (rows[row + WEIGHTS] ?? 0)) / ms;
  gradient[Z_W] = ((p[Z_W] ?? 0) * (rows[row + PAIRS] ?? 0)) / ms;
  gradient[Z_F] = ((p[Z_F] ?? 0) * (rows[row + FOURIER] ?? 0)) / ms;
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
      gradient[A + j] = 0;
      gradient[B + j] = 0;
      continue;
    }
    const more = (rows[row + SPLITS + j] ?? 0) * splitting;
    const stepsMs = ((p[B + j] ?? 0) * kappa) / (1 + more);
    const fixedMs = p[A + j] ?? 0;
    const ofSteps = (share * stepsMs) / (fixedMs + stepsMs);
    gradient[A + j] = share - ofSteps;
    gradient[B + j] = ofSteps;
    bySplit += (ofSteps * more * splitting * split) / (1 + more);
  }
  gradient[SPLIT] = bySplit;
  return ms;
}
