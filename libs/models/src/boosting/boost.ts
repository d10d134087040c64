import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Binned } from './bins.js';
import { TreeGrower, treeValue, type Tree, type TreeOptions } from './tree.js';

const { abs, ceil, floor, round, sign } = Math;

export interface BoostOptions extends TreeOptions {
  /** `absolute`: leaves are medians of residuals. `squared`: shrunk means. */
  readonly loss: 'absolute' | 'squared';
  readonly learningRate: number;
  readonly mostTrees: number;
  /** Share of the features, and share of the rows, for each tree. */
  readonly featureShare: number;
  readonly rowShare: number;
  readonly seed: number;
}

export interface Boosted {
  /** Leaf values include the learning rate. */
  readonly trees: readonly Tree[];
  /** Sum of the trees for every row, training or not. */
  readonly values: Float64Array;
}

/** Leaf values are rounded to this precision. Predictions use the rounded values, which are stored. */
const DIGITS = 1e5;
/** The boosting ends after this number of trees without improvement on the validation rows. */
const PATIENCE = 30;

/**
 * Histogram gradient boosting (Friedman 2001; leaf-wise growth as in LightGBM, Ke et al. 2017) of `target` over the
 * `training` rows. With `validation` rows, it ends when their mean absolute error no longer falls, and keeps the best trees.
 */
export function boost(
  features: readonly Binned[],
  target: Float64Array,
  training: Int32Array,
  validation: Int32Array | null,
  options: BoostOptions,
): Boosted {
  const { loss, learningRate, mostTrees } = options;
  const n = target.length;
  const random = xoroshiro128plus(options.seed);
  const below = (limit: number): number => (random.next() >>> 0) % limit;
  const grower = new TreeGrower(features, n, options);
  const values = new Float64Array(n);
  const rest = Float64Array.from(target);
  const gradient = loss === 'absolute' ? new Float64Array(n) : rest;
  const ofLeaf = loss === 'absolute' ? medianOf(rest) : shrunkMeanOf(rest, options.shrinkage);
  const columns = [...features.keys()].filter((f) => (features[f]?.edges.length ?? 0) > 0);
  const used = ceil(options.featureShare * columns.length);
  const limit = floor(options.rowShare * 2 ** 32);

  const trees: Tree[] = [];
  let [best, kept] = [validation ? meanAbsolute(rest, validation) : 0, 0];
  while (trees.length < mostTrees && columns.length > 0) {
    const bag = training.filter(() => random.next() >>> 0 < limit);
    if (bag.length < 2 * options.least) break;
    for (let k = 0; k < used; k++) {
      const other = k + below(columns.length - k);
      [columns[k], columns[other]] = [columns[other] ?? 0, columns[k] ?? 0];
    }
    if (loss === 'absolute') for (const i of training) gradient[i] = sign(rest[i] ?? 0);
    const tree = grower.grow(
      bag,
      gradient,
      columns.slice(0, used),
      (members) => round(learningRate * ofLeaf(members) * DIGITS) / DIGITS,
    );
    trees.push(tree);
    for (let i = 0; i < n; i++) {
      const step = treeValue(tree, features, i);
      values[i] = (values[i] ?? 0) + step;
      rest[i] = (rest[i] ?? 0) - step;
    }
    if (!validation) continue;
    const error = meanAbsolute(rest, validation);
    if (error < best) [best, kept] = [error, trees.length];
    else if (trees.length - kept >= PATIENCE) break;
  }
  if (!validation) return { trees, values };
  for (const tree of trees.slice(kept)) {
    for (let i = 0; i < n; i++) values[i] = (values[i] ?? 0) - treeValue(tree, features, i);
  }
  return { trees: trees.slice(0, kept), values };
}

const meanAbsolute = (values: Float64Array, rows: Int32Array): number => {
  let sum = 0;
  for (const i of rows) sum += abs(values[i] ?? 0);
  return sum / rows.length;
};

const medianOf =
  (values: Float64Array) =>
  (members: Int32Array): number => {
    const sorted = Float64Array.from(members, (i) => values[i] ?? 0).sort();
    const middle = sorted.length >> 1;
    const high = sorted[middle] ?? 0;
    return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? 0)) / 2;
  };

const shrunkMeanOf =
  (values: Float64Array, shrinkage: number) =>
  (members: Int32Array): number => {
    let sum = 0;
    for (const i of members) sum += values[i] ?? 0;
    return sum / (members.length + shrinkage);
  };
