import { exp, log, square } from '@alphaflops/elementary';
import { thresholdsOf } from '../axes/gates.js';
import type { Shape } from '../axes/shape.js';
import { kernelNameOf } from './kernel-name.js';
import { partition, spreadOver, type KernelRows } from './kernel-rows.js';
import {
  countWaves,
  fillTerms,
  isAlignment,
  TERMS,
  TILE_SHAPES,
  variantsOf,
  WAVE_GATES,
  type Tiling,
} from './wave-formula.js';
import {
  addRow,
  costBound,
  fillRatios,
  leastCost,
  PACKED,
  ratioTerms,
  ratioWeight,
  rowsIn,
  solveWaves,
  type WaveSolution,
} from './wave-solve.js';

/** The formula of all samples, of an engine, of a kernel, or of a regime of one of these. */
export interface WaveNode {
  readonly members: Int32Array;
  readonly tiling: Tiling;
  readonly coefficients: Float64Array;
  readonly split: WaveSplit | null;
}

export interface WaveSplit {
  /** Index in WAVE_GATES; values ≤ `threshold` go to `lower`. */
  readonly gate: number;
  readonly threshold: number;
  readonly lower: WaveNode;
  readonly upper: WaveNode;
}

/** Formulas by name: `all`, engines and kernels. A kernel without a formula is predicted by its engine's, or by `all`. */
export type WaveFits = ReadonlyMap<string, WaveNode>;

export const ALL = 'all';

/** Weight of the parent's formula in the fit of a part, in samples. The parent is the engine, all samples, or the whole kernel. */
const PARENT_WEIGHT = 3;
/** Largest number of the parent's shapes at which the fit of a part is compared with the parent's formula. */
const HELD = 32;
/** Largest numbers of shapes for the comparison of tilings and for the search of splits. */
const COMPARED = 300;
const SEARCHED = 400;
/** Rounds of reweighting. */
const ROUNDS = 3;
const MAX_DEPTH = 5;
/** Minimum number of shapes in a regime, and in a regime of a split on an alignment. */
const LEAST = 6;
const MIN_ALIGNED = 3;
/** Share of the Bayesian information criterion by which a split must be better. A split on an alignment may be better by any amount. */
const GAIN = 0.4;

/**
 * Fits the wave formula to every kernel, to every engine and to all samples. The fit of a part is pulled towards the formula of
 * its parent, so that a few shapes are enough. Thresholds on simple properties of the shape divide a kernel into regimes.
 *
 * @param like an earlier fit to more of the same samples; the new fit uses its tilings
 */
export function fitWaves(rows: KernelRows, members: Int32Array, like: WaveFits | null = null): WaveFits {
  const fits = new Map<string, WaveNode>();
  const add = (name: string, part: Int32Array, parent: WaveNode | null): WaveNode => {
    const tiling = like?.get(name)?.tiling ?? tilingOf(rows, part, parent);
    const node = fitNode(rows, part, parent, tiling);
    const grown = parent === null ? node : grow(rows, node, MAX_DEPTH);
    fits.set(name, grown);
    return grown;
  };
  const root = add(ALL, members, null);
  for (const [engine, ofEngine] of partition(members, (i) => rows.kernels[i]?.engine ?? '')) {
    const engineFit = add(engine, ofEngine, root);
    for (const [kernel, ofKernel] of partition(ofEngine, (i) => rows.kernels[i]?.kernel ?? '')) {
      // an engine without knobs is its only kernel
      if (kernel !== engine) add(kernel, ofKernel, engineFit);
    }
  }
  return fits;
}

const terms = new Float64Array(TERMS);

/** Time of a shape by the formula of a node, in milliseconds. */
export function nodeMs(node: WaveNode, shape: Shape, parts: number, processors: number): number {
  const { split, tiling, coefficients } = node;
  if (split) {
    const value = WAVE_GATES[split.gate]?.value(shape) ?? 0;
    return nodeMs(value <= split.threshold ? split.lower : split.upper, shape, parts, processors);
  }
  fillTerms(shape, countWaves(shape, tiling, parts, processors), processors, terms);
  let ms = 0;
  for (let j = 0; j < TERMS; j++) ms += (coefficients[j] ?? 0) * (terms[j] ?? 0);
  return ms;
}

/** Logarithms of the times of some rows, in milliseconds. */
export function waveLogTimes(rows: KernelRows, fits: WaveFits, members: Int32Array): Float64Array {
  return Float64Array.from(members, (i) => {
    const { kernel, engine, parts } = rows.kernels[i] ?? kernelNameOf('');
    const node = fits.get(kernel) ?? fits.get(engine) ?? fits.get(ALL);
    const shape = rows.shapes[i];
    return node && shape ? log(nodeMs(node, shape, parts, rows.processors)) : NaN;
  });
}

/** The tiling that explains the shapes best. The search tries tile shapes first, then ways to fill processors and to divide steps. */
function tilingOf(rows: KernelRows, members: Int32Array, parent: WaveNode | null): Tiling {
  const targets = targetsOf(rows, spreadOver(members, COMPARED), parent);
  const best = (tilings: readonly Tiling[], rounds: number): WaveSolution =>
    tilings
      .map((tiling) => solveWaves(rows, targets, tiling, rounds))
      .reduce((a, b) => (b.cost < a.cost ? b : a));
  const { tiling } = best(parent ? [parent.tiling, ...TILE_SHAPES] : TILE_SHAPES, 1);
  return best(variantsOf(tiling), ROUNDS).tiling;
}

function fitNode(rows: KernelRows, members: Int32Array, parent: WaveNode | null, tiling: Tiling): WaveNode {
  const { coefficients } = solveWaves(rows, targetsOf(rows, members, parent), tiling, ROUNDS);
  return { members, tiling, coefficients, split: null };
}

/** Measured times of the members, and times by the parent's formula at shapes of the parent, scaled to the members' level. */
function targetsOf(
  { shapes, kernels, logCost, processors }: KernelRows,
  members: Int32Array,
  parent: WaveNode | null,
): { at: Int32Array; target: Float64Array; weight: Float64Array } {
  const held = parent ? spreadOver(parent.members, HELD) : new Int32Array();
  const at = Int32Array.from([...members, ...held]);
  const target = Float64Array.from(at, (i) => logCost[i] ?? 0);
  const weight = new Float64Array(at.length).fill(1);
  if (!parent) return { at, target, weight };
  const byParent = (i: number): number => {
    const shape = shapes[i];
    return shape ? log(nodeMs(parent, shape, kernels[i]?.parts ?? 1, processors)) : 0;
  };
  const level = members.reduce((sum, i) => sum + (logCost[i] ?? 0) - byParent(i), 0) / (members.length + 1);
  for (let r = members.length; r < at.length; r++) {
    target[r] = byParent(at[r] ?? 0) + level;
    weight[r] = PARENT_WEIGHT / held.length;
  }
  return { at, target, weight };
}

/** Splits a node into regimes while that explains more than chance. */
function grow(rows: KernelRows, node: WaveNode, depth: number): WaveNode {
  if (depth === 0 || node.members.length < 2 * MIN_ALIGNED) return node;
  const found = bestSplit(rows, node);
  if (!found) return node;
  const { gate, threshold } = found;
  const side = (below: boolean): WaveNode => {
    const part = node.members.filter((i) => (rows.gates[gate]?.[i] ?? 0) <= threshold === below);
    return grow(rows, fitNode(rows, part, node, node.tiling), depth - 1);
  };
  return { ...node, split: { gate, threshold, lower: side(true), upper: side(false) } };
}

/** The split whose two formulas have the smallest residuals, if the gain justifies their parameters. */
function bestSplit(rows: KernelRows, node: WaveNode): { gate: number; threshold: number } | null {
  const at = spreadOver(node.members, SEARCHED);
  const n = at.length;
  const x = ratioTerms(rows, { at, target: Float64Array.from(at, (i) => rows.logCost[i] ?? 0) }, node.tiling);
  const ratio = new Float64Array(n);
  fillRatios(x, node.coefficients, ratio);
  const weight = ratio.map(ratioWeight);
  const cost = ratio.reduce((sum, value, r) => sum + (weight[r] ?? 0) * square(value - 1), 0);
  const penalty = GAIN * (TERMS + 1) * log(n);
  // the cost of a split must be below that of the node by the penalty of its parameters; alignments have no penalty
  let [best, chosen] = [cost * exp(-penalty / n), null as { gate: number; threshold: number } | null];
  for (let gate = 0; gate < WAVE_GATES.length; gate++) {
    const least = isAlignment[gate] ? MIN_ALIGNED : LEAST;
    const handicap = isAlignment[gate] ? exp(-penalty / n) : 1;
    for (const { threshold, lower, upper } of sidesOf(rows, gate, at, x, weight)) {
      if (rowsIn(lower) < least || rowsIn(upper) < least) continue;
      // the cost without the bounds is a lower limit, with which few splits remain to be solved
      if ((costBound(lower) + costBound(upper)) * handicap >= best) continue;
      const both = (leastCost(lower) + leastCost(upper)) * handicap;
      if (both < best) [best, chosen] = [both, { gate, threshold }];
    }
  }
  return chosen;
}

/** Normal equations of the rows on both sides of every threshold of a gate. The arrays are reused for the next threshold. */
function* sidesOf(
  rows: KernelRows,
  gate: number,
  at: Int32Array,
  x: Float64Array,
  weight: Float64Array,
): Generator<{ threshold: number; lower: Float64Array; upper: Float64Array }> {
  const n = at.length;
  const values = Float64Array.from(at, (i) => rows.gates[gate]?.[i] ?? 0);
  const thresholds = thresholdsOf(Float64Array.from(values).sort());
  if (thresholds.length === 0) return;
  const bins = new Float64Array((thresholds.length + 1) * PACKED);
  for (let r = 0; r < n; r++) {
    let bin = 0;
    while (bin < thresholds.length && (values[r] ?? 0) > (thresholds[bin] ?? 0)) bin += 1;
    addRow(bins, bin * PACKED, x, n, r, weight[r] ?? 0);
  }
  const lower = new Float64Array(PACKED);
  const upper = new Float64Array(PACKED);
  for (let k = 0; k < bins.length; k++) upper[k % PACKED] = (upper[k % PACKED] ?? 0) + (bins[k] ?? 0);
  for (const [bin, threshold] of thresholds.entries()) {
    for (let k = 0; k < PACKED; k++) {
      const moved = bins[bin * PACKED + k] ?? 0;
      lower[k] = (lower[k] ?? 0) + moved;
      upper[k] = (upper[k] ?? 0) - moved;
    }
    yield { threshold, lower, upper };
  }
}
