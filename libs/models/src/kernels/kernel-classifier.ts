import { specKey, type ConvSpec } from '@alphaflops/conv';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';
import { shapeOf } from '../axes/shape.js';
import { binned } from '../boosting/bins.js';
import { F, FEATURES, fillFeatures } from '../boosting/features.js';
import { ModelError } from '../error.js';
import { growClassTree, type ClassRows } from './class-tree.js';

/** A shape and the kernel that the library chooses for it, without a time. */
export interface KernelLabel {
  readonly spec: ConvSpec;
  /** As cudnn-frontend spells it. */
  readonly kernel: string;
}

/** A kernel that may run, and its probability (0…1). */
export interface LikelyKernel {
  readonly kernel: string;
  readonly probability: number;
}

/**
 * A stored random forest. Trees are in preorder. A split is its feature and the number of its threshold, followed by the lower
 * side and then the upper side. A leaf is −1 − (number of its kernel).
 */
export const KernelClassifierSchema = z.object({
  schema: z.literal('kernel-classifier/1'),
  kernels: z.array(z.string()).min(1),
  features: z.array(z.string()),
  /** Thresholds of each feature: values up to the threshold belong to the lower side. */
  thresholds: z.array(z.array(z.number())),
  trees: z.array(z.array(z.int())).min(1),
});
export type KernelClassifier = z.infer<typeof KernelClassifierSchema>;

/** Features do not depend on the device: which kernel runs does not depend on its number of processors. */
const PROCESSORS = 128;
const USED = F - 1;
/** Number of trees without each fold. */
const TREES_OF_A_FOLD = 3;
/** Share of the shapes to which a tree is fitted. */
const ROW_SHARE = 0.7;
/** Largest number of kernels in a prediction, and the minimum share of votes of each. */
const MAX_LIKELY = 3;
const MIN_SHARE = 0.1;

export interface ClassifierFit {
  readonly classifier: KernelClassifier;
  /** Likely kernels of each timed shape, by the trees that were grown without it. */
  readonly heldOut: ReadonlyMap<string, readonly LikelyKernel[]>;
}

/**
 * Trains on labelled shapes, and on timed shapes with known kernels.
 *
 * @param folds fold of each timed shape, by its key; each tree is grown without one fold
 */
export function fitKernelClassifier(
  labels: readonly KernelLabel[],
  timed: readonly KernelLabel[],
  folds: ReadonlyMap<string, number>,
  seed: number,
): ClassifierFit {
  const byKey = new Map([...labels, ...timed].map((label) => [specKey(label.spec), label]));
  const keys = [...byKey.keys()].sort();
  const rows = keys.flatMap((key) => byKey.get(key) ?? []);
  const kernels = [...new Set(rows.map(({ kernel }) => kernel))].sort();
  const numberOf = new Map(kernels.map((kernel, k) => [kernel, k]));
  const columns = columnsOf(rows);
  const data: ClassRows = {
    features: columns.map(binned),
    classes: Int32Array.from(rows, ({ kernel }) => numberOf.get(kernel) ?? 0),
    classCount: kernels.length,
  };
  const foldOf = Int32Array.from(keys, (key) => folds.get(key) ?? -1);
  const foldCount = Math.max(0, ...folds.values()) + 1;
  const random = xoroshiro128plus(seed);
  const all = Int32Array.from(keys.keys());
  const limit = Math.floor(ROW_SHARE * 2 ** 32);
  // bits: the trees that were fitted to a row
  const seen = new Uint32Array(keys.length);
  const trees = Array.from({ length: foldCount * TREES_OF_A_FOLD }, (_, t) => {
    const training = all.filter((i) => foldOf[i] !== t % foldCount && random.next() >>> 0 < limit);
    for (const i of training) seen[i] = (seen[i] ?? 0) | (1 << t);
    return growClassTree(data, training, random);
  });
  const classifier: KernelClassifier = {
    schema: 'kernel-classifier/1',
    kernels,
    features: FEATURES.slice(0, USED),
    thresholds: data.features.map(({ edges }) => [...edges]),
    trees,
  };
  const vote = new Votes(classifier);
  const vector = new Float64Array(F);
  const heldOut = new Map<string, readonly LikelyKernel[]>();
  keys.forEach((key, i) => {
    if ((foldOf[i] ?? -1) < 0) return;
    columns.forEach((column, f) => (vector[f] = column[i] ?? 0));
    heldOut.set(
      key,
      vote.likely(vector, (t) => (((seen[i] ?? 0) >>> t) & 1) === 0),
    );
  });
  return { classifier, heldOut };
}

/**
 * Prepares a classifier: the likely kernels of a spec, most likely first, with probabilities that sum to 1 or less.
 *
 * @throws ModelError `bad-document`.
 */
export function compileKernelClassifier(document: unknown): (spec: ConvSpec) => readonly LikelyKernel[] {
  const parsed = KernelClassifierSchema.safeParse(document);
  if (!parsed.success) {
    const problem = z.prettifyError(parsed.error);
    throw new ModelError('bad-document', `the kernel classifier is not readable:\n${problem}`);
  }
  const votes = new Votes(parsed.data);
  const vector = new Float64Array(F);
  return (spec) => {
    fillFeatures(shapeOf(spec), PROCESSORS, vector);
    return votes.likely(vector, () => true);
  };
}

function columnsOf(rows: readonly KernelLabel[]): Float64Array[] {
  const columns = Array.from({ length: USED }, () => new Float64Array(rows.length));
  const vector = new Float64Array(F);
  rows.forEach(({ spec }, i) => {
    fillFeatures(shapeOf(spec), PROCESSORS, vector);
    columns.forEach((column, f) => (column[i] = vector[f] ?? 0));
  });
  return columns;
}

/** The trees in arrays. Node k compares a feature: a larger value goes to `upper[k]`, other values go to k + 1. */
class Votes {
  private readonly roots: number[] = [];
  /** −1 − kernel for a leaf. */
  private readonly feature: Int32Array;
  private readonly atMost: Float64Array;
  private readonly upper: Int32Array;
  private readonly counts: Int32Array;

  constructor(private readonly classifier: KernelClassifier) {
    const { features, thresholds, trees, kernels } = classifier;
    const places = features.map((name) => FEATURES.indexOf(name));
    const size = trees.reduce((sum, tree) => sum + tree.length, 0);
    this.feature = new Int32Array(size);
    this.atMost = new Float64Array(size);
    this.upper = new Int32Array(size);
    this.counts = new Int32Array(kernels.length);
    let node = 0;
    for (const [t, tree] of trees.entries()) {
      this.roots.push(node);
      let at = 0;
      const bad = (): never => {
        throw new ModelError('bad-document', `the kernel classifier's tree ${t} is not readable at ${at}`);
      };
      // the nodes whose upper side is not read yet
      const open: number[] = [-1];
      while (open.length > 0) {
        const value = tree[at++] ?? bad();
        const here = node++;
        if (value < 0) {
          if (-1 - value >= kernels.length) bad();
          this.feature[here] = value;
          const parent = open.pop() ?? -1;
          if (parent >= 0) this.upper[parent] = node;
          continue;
        }
        const place = places[value] ?? -1;
        const threshold = thresholds[value]?.[tree[at++] ?? -1];
        if (place < 0 || threshold === undefined) bad();
        this.feature[here] = place;
        this.atMost[here] = threshold ?? 0;
        open.push(here);
      }
      if (at !== tree.length) bad();
    }
  }

  likely(vector: Float64Array, of: (tree: number) => boolean): LikelyKernel[] {
    const { feature, atMost, upper, counts, roots } = this;
    counts.fill(0);
    let total = 0;
    const found: number[] = [];
    for (let t = 0; t < roots.length; t++) {
      if (!of(t)) continue;
      let at = roots[t] ?? 0;
      let f = feature[at] ?? -1;
      while (f >= 0) {
        at = (vector[f] ?? 0) > (atMost[at] ?? 0) ? (upper[at] ?? 0) : at + 1;
        f = feature[at] ?? -1;
      }
      const kernel = -1 - f;
      if (counts[kernel] === 0) found.push(kernel);
      counts[kernel] = (counts[kernel] ?? 0) + 1;
      total += 1;
    }
    found.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
    const likely: LikelyKernel[] = [];
    for (const k of found) {
      const share = (counts[k] ?? 0) / total;
      if (likely.length === MAX_LIKELY || (likely.length > 0 && share < MIN_SHARE)) break;
      likely.push({ kernel: this.classifier.kernels[k] ?? '', probability: share });
    }
    return likely;
  }
}
