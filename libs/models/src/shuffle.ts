import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** The items in a random order. The same items and seed give the same order. */
export function shuffled(items: readonly string[], seed: number): string[] {
  const order = [...items];
  const random = xoroshiro128plus(seed);
  for (let i = order.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [order[i], order[j]] = [order[j] ?? '', order[i] ?? ''];
  }
  return order;
}
