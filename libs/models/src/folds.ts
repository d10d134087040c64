import { shapesOf, type CostSample } from './sample.js';
import { shuffled } from './shuffle.js';

/** Fold of every shape: all samples of one shape share it. Same shapes and seed, same folds. */
export function foldsByShape(
  samples: readonly CostSample[],
  seed: number,
  count: number,
): ReadonlyMap<string, number> {
  return new Map(shuffled(shapesOf(samples), seed).map((key, i) => [key, i % count]));
}
