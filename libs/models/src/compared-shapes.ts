import type { Model } from '@alphaflops/contracts';
import type { CostSample } from './sample.js';

/** Number of shapes whose held-out predictions a document stores, for comparisons with other versions. */
const KEPT = 1000;

/**
 * Held-out predictions of the shapes with the smallest digests. So two versions with common shapes store the same ones of
 * these, independent of their other shapes.
 */
export function comparedShapes(
  samples: readonly CostSample[],
  predictions: ArrayLike<number>,
): [shape: string, predicted: number][] {
  const predicted = new Map(samples.map(({ key }, i) => [key, predictions[i] ?? NaN]));
  return [...predicted]
    .sort(([a], [b]) => digest(a) - digest(b) || (a < b ? -1 : 1))
    .slice(0, KEPT)
    .map(([key, value]) => [key, Number(value.toPrecision(6))]);
}

/**
 * The prediction of a model for a shape to which it was not fitted. `unseen` computes it with the model itself. Null if the
 * document does not show whether the model was fitted to the shape.
 */
export function heldOutPrediction(
  { heldOut }: Model,
  unseen: (key: string) => number,
): (key: string) => { readonly timeMs: number; readonly byPart: boolean } | null {
  const kept = heldOut?.shapes ?? [];
  const known = new Map(kept);
  const last = kept.length < KEPT ? Infinity : digest(kept.at(-1)?.[0] ?? '');
  return (key) => {
    const timeMs = known.get(key);
    if (timeMs !== undefined) return { timeMs, byPart: true };
    return kept.length > 0 && digest(key) < last ? { timeMs: unseen(key), byPart: false } : null;
  };
}

/** FNV-1a, 32 bits. It must never change, because documents are ordered by it. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
