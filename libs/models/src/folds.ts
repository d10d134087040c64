import { shapesOf, type CostSample } from './sample.js';
import { shuffled } from './shuffle.js';

/** Fold of every shape. All samples of one shape are in one fold. The same shapes and seed give the same folds. */
export function foldsByShape(
  samples: readonly CostSample[],
  seed: number,
  count: number,
): ReadonlyMap<string, number> {
  return new Map(shuffled(shapesOf(samples), seed).map((key, i) => [key, i % count]));
}
