import type { Model } from '@alphaflops/contracts';
import type { CostSample } from './sample.js';

/** Shapes whose held-out predictions a document keeps, to be compared with those of other versions. */
const KEPT = 1000;

/**
 * Held-out predictions of the shapes with the least digests: two versions whose data overlap keep the same shapes of what
 * they share, whatever else either of them has.
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
 * What a model predicts of a shape without having been fitted to it; `unseen` asks the model itself. Null where its
 * document does not tell whether it was fitted to the shape.
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

/** FNV-1a, 32 bits. Fixed for ever: documents are ordered by it. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
