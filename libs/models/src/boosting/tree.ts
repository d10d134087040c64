import type { Binned } from './bins.js';

const { max, min } = Math;

/**
 * A regression tree over binned features. Node k splits `feature[k]`: bins ≤ `bin[k]` go to `lower[k]`, others to
 * `upper[k]`. A child c ≥ 0 is a node, c < 0 is leaf −1 − c. A tree without nodes is the single leaf 0.
 */
export interface Tree {
  readonly feature: number[];
  readonly bin: number[];
  readonly lower: number[];
  readonly upper: number[];
  readonly leaves: number[];
}

export interface TreeOptions {
  readonly mostLeaves: number;
  /** Minimum number of samples in a leaf. */
  readonly least: number;
  /** Regularization λ of the squared leaf values in the gain of a split. */
  readonly shrinkage: number;
  /** Features along which no tree may fall while the other features are constant. */
  readonly rising?: ReadonlySet<number>;
}

interface Split {
  readonly gain: number;
  readonly column: number;
  readonly bin: number;
}

interface Leaf {
  readonly from: number;
  readonly to: number;
  readonly histogram: Float64Array;
  readonly best: Split | null;
  /** Node and side that lead to this leaf; −1: the root. */
  readonly parent: number;
  readonly side: 'lower' | 'upper';
  /** Limits of the leaf value, so that the tree is monotone along the rising features. */
  readonly least: number;
  readonly most: number;
}

/** Elements of a feature in a histogram: a sum of gradients and a count for each bin. */
const WIDTH = 2 * 256;

/** Grows one tree leaf-wise on the gradients of some rows; leaf values come from `leafValue`. */
export class TreeGrower {
  private readonly pool: Float64Array[] = [];
  private readonly scratch: Int32Array;

  constructor(
    private readonly features: readonly Binned[],
    rows: number,
    private readonly options: TreeOptions,
  ) {
    this.scratch = new Int32Array(rows);
  }

  /** `bag` is reordered: rows of one leaf become neighbours. */
  grow(
    bag: Int32Array,
    gradient: Float64Array,
    columns: readonly number[],
    leafValue: (members: Int32Array) => number,
  ): Tree {
    const tree: Tree = { feature: [], bin: [], lower: [], upper: [], leaves: [] };
    const histogram = this.histogramOf(bag, gradient, columns);
    const root: Leaf = {
      from: 0,
      to: bag.length,
      histogram,
      best: this.bestSplit(histogram, columns),
      parent: -1,
      side: 'lower',
      least: -Infinity,
      most: Infinity,
    };
    const leaves = [root];
    while (leaves.length < this.options.mostLeaves) {
      const chosen = leaves.reduce((a, b) => ((b.best?.gain ?? 0) > (a.best?.gain ?? 0) ? b : a));
      if (!chosen.best) break;
      const children = this.split(chosen, chosen.best, bag, gradient, columns, tree, leafValue);
      leaves.splice(leaves.indexOf(chosen), 1, ...children);
    }
    leaves.forEach(({ from, to, histogram: used, parent, side, least, most }, k) => {
      tree.leaves.push(min(max(leafValue(bag.subarray(from, to)), least), most));
      if (parent >= 0) tree[side][parent] = -1 - k;
      this.pool.push(used);
    });
    return tree;
  }

  private split(
    leaf: Leaf,
    { column, bin }: Split,
    bag: Int32Array,
    gradient: Float64Array,
    columns: readonly number[],
    tree: Tree,
    leafValue: (members: Int32Array) => number,
  ): [Leaf, Leaf] {
    const feature = columns[column] ?? 0;
    const bins = this.features[feature]?.bins ?? new Uint8Array();
    const node = tree.feature.length;
    tree.feature.push(feature);
    tree.bin.push(bin);
    tree.lower.push(0);
    tree.upper.push(0);
    if (leaf.parent >= 0) tree[leaf.side][leaf.parent] = node;
    const middle = this.partition(bag, leaf.from, leaf.to, bins, bin);
    const lowerIsSmall = middle - leaf.from < leaf.to - middle;
    const small = lowerIsSmall ? bag.subarray(leaf.from, middle) : bag.subarray(middle, leaf.to);
    const counted = this.histogramOf(small, gradient, columns);
    // the other side is the difference from the parent
    const rest = leaf.histogram;
    columns.forEach((column, c) => {
      const end = c * WIDTH + this.usedWidth(column);
      for (let k = c * WIDTH; k < end; k++) rest[k] = (rest[k] ?? 0) - (counted[k] ?? 0);
    });
    let [most, least] = [leaf.most, leaf.least];
    if (this.options.rising?.has(feature) === true) {
      const low = leafValue(bag.subarray(leaf.from, middle));
      const high = leafValue(bag.subarray(middle, leaf.to));
      most = least = min(max((low + high) / 2, leaf.least), leaf.most);
    }
    const child = (from: number, to: number, histogram: Float64Array, side: Leaf['side']): Leaf => ({
      least: side === 'lower' ? leaf.least : least,
      most: side === 'lower' ? most : leaf.most,
      from,
      to,
      histogram,
      best: to - from < 2 * this.options.least ? null : this.bestSplit(histogram, columns),
      parent: node,
      side,
    });
    return [
      child(leaf.from, middle, lowerIsSmall ? counted : rest, 'lower'),
      child(middle, leaf.to, lowerIsSmall ? rest : counted, 'upper'),
    ];
  }

  /** Moves rows with bins ≤ `bin` to the front, in order; returns where the others begin. */
  private partition(bag: Int32Array, from: number, to: number, bins: Uint8Array, bin: number): number {
    let kept = from;
    let moved = 0;
    for (let i = from; i < to; i++) {
      const row = bag[i] ?? 0;
      if ((bins[row] ?? 0) <= bin) bag[kept++] = row;
      else this.scratch[moved++] = row;
    }
    bag.set(this.scratch.subarray(0, moved), kept);
    return kept;
  }

  private histogramOf(rows: Int32Array, gradient: Float64Array, columns: readonly number[]): Float64Array {
    const histogram = this.pool.pop() ?? new Float64Array(this.features.length * WIDTH);
    for (let c = 0; c < columns.length; c++) {
      const bins = this.features[columns[c] ?? 0]?.bins ?? new Uint8Array();
      const offset = c * WIDTH;
      histogram.fill(0, offset, offset + this.usedWidth(columns[c] ?? 0));
      for (const row of rows) {
        const at = offset + 2 * (bins[row] ?? 0);
        histogram[at] = (histogram[at] ?? 0) + (gradient[row] ?? 0);
        histogram[at + 1] = (histogram[at + 1] ?? 0) + 1;
      }
    }
    return histogram;
  }

  /** Number of histogram elements for the bins of a feature. Many features have few values. */
  private usedWidth(feature: number): number {
    return 2 * ((this.features[feature]?.edges.length ?? 0) + 1);
  }

  private bestSplit(histogram: Float64Array, columns: readonly number[]): Split | null {
    const { least, shrinkage } = this.options;
    let [sum, count] = [0, 0];
    const first = this.features[columns[0] ?? 0]?.edges.length ?? 0;
    for (let b = 0; b <= first; b++) {
      sum += histogram[2 * b] ?? 0;
      count += histogram[2 * b + 1] ?? 0;
    }
    const whole = (sum * sum) / (count + shrinkage);
    let [best, bestColumn, bestBin] = [1e-9 * (whole + 1), -1, 0];
    for (let column = 0; column < columns.length; column++) {
      const feature = columns[column] ?? 0;
      const edges = this.features[feature]?.edges.length ?? 0;
      const rises = this.options.rising?.has(feature) === true;
      let [below, n] = [0, 0];
      for (let b = 0; b < edges; b++) {
        const at = column * WIDTH + 2 * b;
        const here = histogram[at + 1] ?? 0;
        if (here === 0) continue;
        below += histogram[at] ?? 0;
        n += here;
        if (n < least) continue;
        if (count - n < least) break;
        const above = sum - below;
        if (rises && below * (count - n) > above * n) continue;
        const gain = (below * below) / (n + shrinkage) + (above * above) / (count - n + shrinkage) - whole;
        if (gain > best) [best, bestColumn, bestBin] = [gain, column, b];
      }
    }
    return bestColumn < 0 ? null : { gain: best, column: bestColumn, bin: bestBin };
  }
}

/** Leaf value of one row of binned features. */
export function treeValue(tree: Tree, features: readonly Binned[], row: number): number {
  let at = tree.feature.length === 0 ? -1 : 0;
  while (at >= 0) {
    const bin = features[tree.feature[at] ?? 0]?.bins[row] ?? 0;
    at = (bin <= (tree.bin[at] ?? 0) ? tree.lower[at] : tree.upper[at]) ?? -1;
  }
  return tree.leaves[-1 - at] ?? 0;
}
