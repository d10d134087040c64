import { square } from '@alphaflops/elementary';

/** Distance from a point to the nearest of `points` (rows of `width`), without the point itself. Ends early at `enough`. */
export function nearest(
  points: Float64Array,
  width: number,
  point: Float64Array,
  itself: number,
  enough = 0,
): number {
  let least = Infinity;
  for (let i = 0, row = 0; row < points.length; i++, row += width) {
    if (i === itself) continue;
    let squares = 0;
    for (let a = 0; a < width && squares < least; a++) {
      const d = (points[row + a] ?? 0) - (point[a] ?? 0);
      squares += d * d;
    }
    if (squares < least) {
      least = squares;
      if (least <= enough * enough) break;
    }
  }
  return Math.sqrt(least);
}

/**
 * Picks points so that every point is near a picked one. Each pick is the point furthest from the earlier picks (Gonzalez 1985,
 * within a factor of two of the optimum). `radius` is the largest remaining distance. The result is sorted: picks that are
 * the nearest one for most points come first.
 */
export function furthestFirst(
  points: Float64Array,
  width: number,
  most: number,
): { readonly kept: number[]; readonly radius: number } {
  const n = points.length / width;
  const distance = new Float64Array(n).fill(Infinity);
  const owner = new Int32Array(n);
  const kept: number[] = [];
  let next = 0;
  while (kept.length < Math.min(most, n)) {
    const pick = kept.length;
    kept.push(next);
    let furthest = 0;
    for (let i = 0; i < n; i++) {
      let squares = 0;
      for (let a = 0; a < width; a++) {
        squares += square((points[i * width + a] ?? 0) - (points[(kept[pick] ?? 0) * width + a] ?? 0));
      }
      if (squares < (distance[i] ?? 0)) {
        distance[i] = squares;
        owner[i] = pick;
      }
      if ((distance[i] ?? 0) > (distance[furthest] ?? 0)) furthest = i;
    }
    next = furthest;
    if ((distance[furthest] ?? 0) === 0) break;
  }
  const owned = new Int32Array(kept.length);
  for (const pick of owner) owned[pick] = (owned[pick] ?? 0) + 1;
  const order = [...kept.keys()].sort((a, b) => (owned[b] ?? 0) - (owned[a] ?? 0) || a - b);
  const radius = Math.sqrt(distance.reduce((a, b) => Math.max(a, b), 0));
  return { kept: order.map((pick) => kept[pick] ?? 0), radius };
}
