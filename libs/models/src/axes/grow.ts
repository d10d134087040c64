import { log } from '@alphaflops/elementary';
import {
  packedDiagonal,
  packedLength,
  softL1Weight,
  solvePacked,
  type RidgeResult,
} from '@alphaflops/least-squares';
import { ROBUST_RELATIVE_ERROR } from '../form.js';
import { fitTileWave, tileWaveCost } from './fit-tile-wave.js';
import { thresholdsOf } from './gates.js';
import { P, valuesOf } from './tile-wave-parameters.js';
import { tileWaveGradient, type TileWaveData } from './tile-wave.js';

const { max, min, round, sqrt } = Math;

/** A regime: samples between thresholds of gates, and the parameters of the formula there. */
export interface Regime {
  readonly vector: Float64Array;
  readonly n: number;
  /** Gate and threshold of the split, with the regimes on both sides (lower side: value ≤ threshold). */
  split?: {
    readonly gate: number;
    readonly threshold: number;
    readonly lower: Regime;
    readonly upper: Regime;
  };
}

export interface GrowOptions {
  /** Values of every gate, one column per gate. */
  readonly gates: readonly Float64Array[];
  /** Gates that may be used. */
  readonly open: readonly number[];
  /** Number of samples of the whole fit, over all kernel families. It limits the deviation of leaves. */
  readonly total: number;
}

const ROOT_RIDGE = 0.02;
const ROOT_ITERATIONS = 29;
const LEAF_ITERATIONS = 11;
/** The number of leaves grows with the square root of the number of samples. */
const LEAVES_PER_ROOT = 0.33;
/** Largest distance of the logarithms of a leaf's parameters from its parent's. */
const LEAF_REACH = 2;
/** With fewer samples than this, leaves have more samples and stay nearer to their parents. */
const FEW = 2500;
/** Longest step of a parameter in the estimate of the gain of a split. */
const FORESEEN_STEP = 1.5;
/** Largest number of rows in the estimate of the gain of a split. More rows do not change the choice. */
const FORESEEING_ROWS = 800;

export interface Grown {
  readonly root: Regime;
  readonly rootFit: RidgeResult;
}

interface Leaf {
  readonly regime: Regime;
  readonly members: Int32Array;
  readonly best: Candidate | null;
}
interface Candidate {
  readonly gain: number;
  readonly gate: number;
  readonly threshold: number;
}

/** Best-first growth of a tree of regimes. The fit of each child starts at its parent's parameters and stays near them. */
export function growRegimes(
  data: TileWaveData,
  members: Int32Array,
  start: Float64Array,
  options: GrowOptions,
): Grown {
  const leaf = options.total < FEW ? { ridge: 0.5, least: 25 } : { ridge: 0.3, least: 20 };
  const most = max(1, round(LEAVES_PER_ROOT * sqrt(members.length)));
  const rootFit = fitTileWave(data, {
    ...{ members, centre: start, ridge: ROOT_RIDGE },
    maxIterations: ROOT_ITERATIONS,
  });
  const root: Regime = { vector: rootFit.parameters, n: members.length };
  const candidate = (regime: Regime, rows: Int32Array, isLast: boolean): Leaf => ({
    regime,
    members: rows,
    best: isLast ? null : bestSplit(data, rows, regime.vector, leaf, options),
  });
  const leaves = [candidate(root, members, most === 1)];
  while (leaves.length < most) {
    const chosen = leaves.reduce((a, b) => ((b.best?.gain ?? 0) > (a.best?.gain ?? 0) ? b : a));
    if (!chosen.best) break;
    const { gate, threshold } = chosen.best;
    const values = options.gates[gate] ?? new Float64Array();
    const child = (side: Int32Array): Leaf => {
      const { vector } = chosen.regime;
      const fit = fitTileWave(data, {
        ...{ members: side, centre: vector, ridge: leaf.ridge, reach: LEAF_REACH },
        maxIterations: LEAF_ITERATIONS,
      });
      return candidate({ vector: fit.parameters, n: side.length }, side, leaves.length + 1 === most);
    };
    const lower = child(chosen.members.filter((i) => (values[i] ?? 0) <= threshold));
    const upper = child(chosen.members.filter((i) => (values[i] ?? 0) > threshold));
    chosen.regime.split = { gate, threshold, lower: lower.regime, upper: upper.regime };
    leaves.splice(leaves.indexOf(chosen), 1, lower, upper);
  }
  return { root, rootFit };
}

const TRIANGLE = packedLength(P);
/** Bin of sums: the triangle JᵀWJ, the slope JᵀWr, and the number of rows. */
const BIN = TRIANGLE + P + 1;

/** The split with which one Gauss–Newton step on each side lowers the weighted squares most; null when no split lowers them. */
function bestSplit(
  data: TileWaveData,
  members: Int32Array,
  vector: Float64Array,
  leaf: { readonly ridge: number; readonly least: number },
  { gates, open }: GrowOptions,
): Candidate | null {
  if (members.length < 2 * leaf.least) return null;
  const every = Math.ceil(members.length / FORESEEING_ROWS);
  const rows = every === 1 ? members : members.filter((_, i) => i % every === 0);
  const bins = open.flatMap((gate) => {
    const values = gates[gate] ?? new Float64Array();
    const thresholds = thresholdsOf(Float64Array.from(members, (i) => values[i] ?? 0).sort());
    if (thresholds.length === 0) return [];
    return [{ gate, values, thresholds, sums: new Float64Array((thresholds.length + 1) * BIN) }];
  });
  const total = new Float64Array(BIN);
  accumulate(data, rows, every, vector, total, bins);
  let best: Candidate = { gain: 0, gate: -1, threshold: 0 };
  const below = new Float64Array(BIN);
  const above = new Float64Array(BIN);
  for (const { gate, thresholds, sums } of bins) {
    below.fill(0);
    thresholds.forEach((threshold, t) => {
      for (let k = 0; k < BIN; k++) below[k] = (below[k] ?? 0) + (sums[t * BIN + k] ?? 0);
      const n = below[BIN - 1] ?? 0;
      if (min(n, (total[BIN - 1] ?? 0) - n) < leaf.least) return;
      for (let k = 0; k < BIN; k++) above[k] = (total[k] ?? 0) - (below[k] ?? 0);
      const gain = foreseenGain(below, leaf.ridge) + foreseenGain(above, leaf.ridge);
      if (gain > best.gain) best = { gain, gate, threshold };
    });
  }
  return best.gate >= 0 && enough(members, gates, best, leaf.least) ? best : null;
}

/** A count from a sample of the rows may be wrong, so both sides are counted before the split is used. */
function enough(members: Int32Array, gates: GrowOptions['gates'], best: Candidate, least: number): boolean {
  const values = gates[best.gate] ?? new Float64Array();
  let below = 0;
  for (const i of members) if ((values[i] ?? 0) <= best.threshold) below += 1;
  return below >= least && members.length - below >= least;
}

function accumulate(
  { rows, stride, logCost }: TileWaveData,
  members: Int32Array,
  every: number,
  vector: Float64Array,
  total: Float64Array,
  bins: readonly { values: Float64Array; thresholds: readonly number[]; sums: Float64Array }[],
): void {
  const p = valuesOf(vector);
  const gradient = new Float64Array(P);
  const at = new Int32Array(BIN);
  const term = new Float64Array(BIN);
  for (const i of members) {
    const residual = (logCost[i] ?? 0) - log(tileWaveGradient(p, rows, i * stride, gradient));
    // a member that represents others has their weight
    const weight = every * softL1Weight(residual, ROBUST_RELATIVE_ERROR);
    // most elements of the gradient are 0: only products of the others are added
    let terms = 0;
    const push = (place: number, value: number): void => {
      at[terms] = place;
      term[terms++] = value;
    };
    for (let a = 0, row = 0; a < P; row += ++a) {
      const scaled = weight * (gradient[a] ?? 0);
      if (scaled === 0) continue;
      for (let b = 0; b <= a; b++) if (gradient[b] !== 0) push(row + b, scaled * (gradient[b] ?? 0));
      push(TRIANGLE + a, scaled * residual);
    }
    push(BIN - 1, every);
    for (let k = 0; k < terms; k++) total[at[k] ?? 0] = (total[at[k] ?? 0] ?? 0) + (term[k] ?? 0);
    for (const { values, thresholds, sums } of bins) {
      const value = values[i] ?? 0;
      let bin = 0;
      while (bin < thresholds.length && value > (thresholds[bin] ?? 0)) bin += 1;
      const offset = bin * BIN;
      for (let k = 0; k < terms; k++) {
        const place = offset + (at[k] ?? 0);
        sums[place] = (sums[place] ?? 0) + (term[k] ?? 0);
      }
    }
  }
}

const matrix = new Float64Array(TRIANGLE);

/** Decrease of the weighted squares by one clipped Gauss–Newton step, from the sums of one side. */
function foreseenGain(sums: Float64Array, ridge: number): number {
  matrix.set(sums.subarray(0, TRIANGLE));
  const step = sums.slice(TRIANGLE, TRIANGLE + P);
  for (let j = 0; j < P; j++) {
    matrix[packedDiagonal(j)] = (matrix[packedDiagonal(j)] ?? 0) + ridge * ridge + 1e-3;
  }
  solvePacked(matrix, step);
  let gain = 0;
  for (let j = 0; j < P; j++) step[j] = min(max(step[j] ?? 0, -FORESEEN_STEP), FORESEEN_STEP);
  for (let i = 0, row = 0; i < P; row += ++i) {
    const s = step[i] ?? 0;
    let product = (sums[row + i] ?? 0) * s;
    for (let j = 0; j < i; j++) product += 2 * (sums[row + j] ?? 0) * (step[j] ?? 0);
    gain += s * (2 * (sums[TRIANGLE + i] ?? 0) - product);
  }
  return gain;
}

/** Cost of a fit without a tree. A smaller cost means that the number of processors explains the data better. */
export function rootCost(data: TileWaveData, members: Int32Array, start: Float64Array): number {
  const { parameters } = fitTileWave(data, {
    ...{ members, centre: start, ridge: ROOT_RIDGE },
    maxIterations: LEAF_ITERATIONS,
  });
  return tileWaveCost(data, members, parameters);
}
