import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { shapesOf, type ShapedSample } from './sample.js';

/** Fold of every shape: all samples of one shape share it. Same shapes and seed, same folds. */
export function foldsByShape(
  samples: readonly ShapedSample[],
  seed: number,
  count: number,
): ReadonlyMap<string, number> {
  const shapes = [...shapesOf(samples)];
  const random = xoroshiro128plus(seed);
  for (let i = shapes.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [shapes[i], shapes[j]] = [shapes[j] ?? '', shapes[i] ?? ''];
  }
  return new Map(shapes.map((key, i) => [key, i % count]));
}
