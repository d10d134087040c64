import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Binned } from '../boosting/bins.js';

const { ceil, sqrt } = Math;

/** Labelled rows as columns. */
export interface ClassRows {
  readonly features: readonly Binned[];
  readonly classes: Int32Array;
  readonly classCount: number;
}

/** Number of features tried at a split, as a multiple of the square root of their number. */
const TRIED = 1.5;
const EMPTY = new Uint8Array();
/** Minimum number of rows in a leaf. */
const LEAST = 2;

/**
 * Grows one tree of a random forest (Breiman 2001) until its leaves are pure, by the Gini impurity over a random part of
 * the features at each split. In preorder: a split is its feature and bin, a leaf −1 − class.
 */
export function growClassTree(data: ClassRows, training: Int32Array, random: RandomGenerator): number[] {
  const grower = new ClassTreeGrower(data, training, random);
  return grower.grow();
}

class ClassTreeGrower {
  private readonly rows: Int32Array;
  private readonly scratch: Int32Array;
  private readonly columns: number[];
  private readonly tried: number;
  private readonly left: Int32Array;
  private readonly right: Int32Array;
  private readonly whole: Int32Array;
  private readonly starts = new Int32Array(257);
  private readonly ordered: Int32Array;
  private readonly tree: number[] = [];
  private readonly bins: readonly Uint8Array[];
  private readonly binCounts: readonly number[];

  constructor(
    private readonly data: ClassRows,
    training: Int32Array,
    private readonly random: RandomGenerator,
  ) {
    this.rows = Int32Array.from(training);
    this.scratch = new Int32Array(training.length);
    this.ordered = new Int32Array(training.length);
    this.columns = [...data.features.keys()].filter((f) => (data.features[f]?.edges.length ?? 0) > 0);
    this.tried = ceil(TRIED * sqrt(this.columns.length));
    this.bins = data.features.map(({ bins }) => bins);
    this.binCounts = data.features.map(({ edges }) => edges.length + 1);
    this.left = new Int32Array(data.classCount);
    this.right = new Int32Array(data.classCount);
    this.whole = new Int32Array(data.classCount);
  }

  grow(): number[] {
    const pending: [from: number, to: number][] = [[0, this.rows.length]];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [from, to] = next;
      const split = this.bestSplit(from, to);
      if (!split) {
        this.tree.push(-1 - this.majority(from, to));
        continue;
      }
      this.tree.push(split.feature, split.bin);
      const middle = this.partition(from, to, split.feature, split.bin);
      pending.push([middle, to], [from, middle]);
    }
    return this.tree;
  }

  private majority(from: number, to: number): number {
    const { left } = this;
    this.count(from, to, left);
    return left.reduce((best, count, k) => (count > (left[best] ?? 0) ? k : best), 0);
  }

  private count(from: number, to: number, counts: Int32Array): void {
    counts.fill(0);
    for (let r = from; r < to; r++) {
      const k = this.data.classes[this.rows[r] ?? 0] ?? 0;
      counts[k] = (counts[k] ?? 0) + 1;
    }
  }

  /** The split with the purest sides; null if the rows are pure, too few, or equal in all features. */
  private bestSplit(from: number, to: number): { feature: number; bin: number } | null {
    const n = to - from;
    const { rows, data, columns, left, right, whole, ordered } = this;
    const { classes } = data;
    const first = data.classes[rows[from] ?? 0];
    let pure = true;
    for (let r = from + 1; r < to && pure; r++) pure = data.classes[rows[r] ?? 0] === first;
    if (pure || n < 2 * LEAST) return null;
    this.count(from, to, whole);
    const squares = whole.reduce((sum, count) => sum + count * count, 0);
    let best: { feature: number; bin: number } | null = null;
    let bestScore = (squares / n) * (1 + 1e-12);
    for (let k = 0; k < this.tried; k++) {
      const other = k + ((this.random.next() >>> 0) % (columns.length - k));
      [columns[k], columns[other]] = [columns[other] ?? 0, columns[k] ?? 0];
      const feature = columns[k] ?? 0;
      const bins = this.bins[feature] ?? EMPTY;
      this.sort(from, to, bins, this.binCounts[feature] ?? 1);
      left.fill(0);
      right.set(whole);
      let [ofLeft, ofRight] = [0, squares];
      for (let r = 0; r + 1 < n; r++) {
        const row = ordered[r] ?? 0;
        const c = classes[row] ?? 0;
        ofLeft += 2 * (left[c] ?? 0) + 1;
        ofRight -= 2 * (right[c] ?? 0) - 1;
        left[c] = (left[c] ?? 0) + 1;
        right[c] = (right[c] ?? 0) - 1;
        const bin = bins[row] ?? 0;
        if (r + 1 < LEAST || n - r - 1 < LEAST || bin === bins[ordered[r + 1] ?? 0]) continue;
        const score = ofLeft / (r + 1) + ofRight / (n - r - 1);
        if (score > bestScore) [bestScore, best] = [score, { feature, bin }];
      }
    }
    return best;
  }

  /** Fills `ordered` with the rows by their bins. */
  private sort(from: number, to: number, bins: Uint8Array, binCount: number): void {
    const { rows, starts, ordered } = this;
    starts.fill(0, 0, binCount + 1);
    for (let r = from; r < to; r++) {
      const bin = bins[rows[r] ?? 0] ?? 0;
      starts[bin + 1] = (starts[bin + 1] ?? 0) + 1;
    }
    for (let bin = 1; bin <= binCount; bin++) starts[bin] = (starts[bin] ?? 0) + (starts[bin - 1] ?? 0);
    for (let r = from; r < to; r++) {
      const row = rows[r] ?? 0;
      const bin = bins[row] ?? 0;
      const at = starts[bin] ?? 0;
      ordered[at] = row;
      starts[bin] = at + 1;
    }
  }

  private partition(from: number, to: number, feature: number, bin: number): number {
    const { rows, scratch, data } = this;
    const bins = data.features[feature]?.bins;
    let kept = from;
    let moved = 0;
    for (let r = from; r < to; r++) {
      const row = rows[r] ?? 0;
      if ((bins?.[row] ?? 0) <= bin) rows[kept++] = row;
      else scratch[moved++] = row;
    }
    rows.set(scratch.subarray(0, moved), kept);
    return kept;
  }
}
