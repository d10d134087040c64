import { z } from 'zod';
import { ModelError } from '../error.js';
import type { Binned } from './bins.js';
import { F } from './features.js';
import type { Tree } from './tree.js';

/**
 * A tree as it is stored: node k compares feature `feature[k]` with `atMost[k]`; where it is larger the way goes to
 * `upper[k]`, else to `lower[k]`. A child c ≥ 0 is a later node, c < 0 is leaf −1 − c.
 */
export const StoredTreeSchema = z.object({
  feature: z.array(z.int().min(0)),
  atMost: z.array(z.number()),
  lower: z.array(z.int()),
  upper: z.array(z.int()),
  leaves: z.array(z.number()).min(1),
});
export type StoredTree = z.infer<typeof StoredTreeSchema>;

export function storedTree(
  { feature, bin, lower, upper, leaves }: Tree,
  binned: readonly Binned[],
): StoredTree {
  const atMost = feature.map((f, k) => binned[f]?.edges[bin[k] ?? 0] ?? 0);
  return { feature, atMost, lower, upper, leaves };
}

/** Sum of trees, laid out flat for speed. */
export class Forest {
  private readonly feature: Uint8Array;
  private readonly atMost: Float64Array;
  /** Lower and upper child of each node; negative: ~index of a leaf. */
  private readonly child: Int32Array;
  private readonly leaves: Float64Array;
  private readonly roots: Int32Array;

  /**
   * @param place where each feature that the trees name is found in the vectors to come
   * @throws ModelError `bad-document` when a node leads nowhere
   */
  constructor(trees: readonly StoredTree[], place: readonly number[]) {
    const nodes = trees.reduce((sum, { feature }) => sum + feature.length, 0);
    this.feature = new Uint8Array(nodes);
    this.atMost = new Float64Array(nodes);
    this.child = new Int32Array(2 * nodes);
    this.leaves = Float64Array.from(trees.flatMap(({ leaves }) => leaves));
    let [firstNode, firstLeaf] = [0, 0];
    this.roots = Int32Array.from(trees, (tree, t) => {
      const size = tree.feature.length;
      const child = (at: number, to: number | undefined): number => {
        if (to !== undefined && to > at && to < size) return firstNode + to;
        if (to !== undefined && to < 0 && -1 - to < tree.leaves.length) return to - firstLeaf;
        throw new ModelError('bad-document', `boosted tree ${t}: node ${at} leads to ${to ?? 'nothing'}`);
      };
      for (let k = 0; k < size; k++) {
        const named = place[tree.feature[k] ?? -1];
        if (named === undefined || named >= F) {
          throw new ModelError('bad-document', `boosted tree ${t}: node ${k} has no known feature`);
        }
        this.feature[firstNode + k] = named;
        this.atMost[firstNode + k] = tree.atMost[k] ?? 0;
        this.child[2 * (firstNode + k)] = child(k, tree.lower[k]);
        this.child[2 * (firstNode + k) + 1] = child(k, tree.upper[k]);
      }
      const root = size === 0 ? -1 - firstLeaf : firstNode;
      firstNode += size;
      firstLeaf += tree.leaves.length;
      return root;
    });
  }

  /** Sum of the leaves that a feature vector falls into. */
  value(features: Float64Array): number {
    const { feature, atMost, child, leaves, roots } = this;
    let sum = 0;
    for (let t = 0; t < roots.length; t++) {
      let at = roots[t] ?? -1;
      while (at >= 0) {
        const above = (features[feature[at] ?? 0] ?? 0) > (atMost[at] ?? 0) ? 1 : 0;
        at = child[2 * at + above] ?? -1;
      }
      sum += leaves[-1 - at] ?? 0;
    }
    return sum;
  }
}
