import { foldsByShape } from '../folds.js';
import type { FitContext } from '../form.js';
import type { CostSample } from '../sample.js';
import { frameOf, type Frame } from './frame.js';
import { fitModelTree, predictFrame, type ModelTree } from './model-tree.js';

/** A fit without one fold of shapes. */
export interface FoldMember extends Fold {
  readonly tree: ModelTree;
  /** Log milliseconds of all samples. */
  readonly logCost: Float64Array;
}

export interface Fold {
  readonly training: Int32Array;
  /** Samples of the held-out fold. */
  readonly heldOut: Int32Array;
}

/** The frame of the samples, and the fits without each fold. They give the error of `alpha-axes`, and `boosted` is built on them. */
export interface SharedFits {
  readonly frame: Frame;
  readonly members: readonly FoldMember[];
}

export const FOLDS_OF_MEMBERS = 5;

const cache = new WeakMap<
  readonly CostSample[],
  { readonly context: FitContext; readonly fits: SharedFits }
>();

/** Computed once for the same samples and context, because both forms need them. */
export function sharedFits(samples: readonly CostSample[], context: FitContext): SharedFits {
  const known = cache.get(samples);
  if (known?.context === context) return known.fits;
  const frame = frameOf(samples, context.device['smCount']);
  const all = Int32Array.from(samples.keys());
  const members = memberFolds(samples, context.seed).map((fold): FoldMember => {
    const { tree } = fitModelTree(frame, fold.training);
    return { ...fold, tree, logCost: predictFrame(frame, tree, all) };
  });
  const fits = { frame, members };
  cache.set(samples, { context, fits });
  return fits;
}

/** The fold that each member leaves out, by shape. */
export function memberFolds(samples: readonly CostSample[], seed: number): Fold[] {
  const folds = foldsByShape(samples, seed, FOLDS_OF_MEMBERS);
  const foldOf = Int32Array.from(samples, ({ key }) => folds.get(key) ?? 0);
  const all = Int32Array.from(samples.keys());
  return Array.from({ length: FOLDS_OF_MEMBERS }, (_, fold) => ({
    training: all.filter((i) => foldOf[i] !== fold),
    heldOut: all.filter((i) => foldOf[i] === fold),
  }));
}
