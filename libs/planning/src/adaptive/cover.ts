import type { ConvSpec } from '@alphaflops/conv';
import { exp, log } from '@alphaflops/elementary';
import type { Draws } from '../draws.js';
import { coordinatesOf, squaredDistance } from './shape-space.js';

/** Share of a target that a shape at this distance leaves unexplained, from 0 to 1. Its length scale is one unit. */
const unexplained = (squared: number): number => 1 - exp(-Math.sqrt(squared));

/** Share of picks that may miss the best of all candidates. It sets how many random candidates each pick compares. */
const MISSED = 0.05;

/**
 * How much of the targets a set of shapes leaves unexplained: Σ unexplained(distance to the nearest shape of the set). Smaller
 * is better. This is a facility-location objective: each further shape lowers it by less, so that a greedy choice is within
 * 1 − 1/e of the best set (Nemhauser, Wolsey and Fisher 1978).
 */
export class Cover {
  private readonly points: readonly Float64Array[];
  private readonly squared: Float64Array;
  private readonly left: Float64Array;

  constructor(targets: readonly ConvSpec[]) {
    this.points = targets.map(coordinatesOf);
    this.squared = new Float64Array(targets.length).fill(Infinity);
    this.left = new Float64Array(targets.length).fill(1);
  }

  add(shape: Float64Array): void {
    this.points.forEach((point, i) => {
      const known = this.squared[i] ?? 0;
      const squared = squaredDistance(point, shape, known);
      if (squared >= known) return;
      this.squared[i] = squared;
      this.left[i] = unexplained(squared);
    });
  }

  /** The amount by which the shape would lower the objective. */
  gain(shape: Float64Array): number {
    let gain = 0;
    this.points.forEach((point, i) => {
      const known = this.squared[i] ?? 0;
      const squared = squaredDistance(point, shape, known);
      if (squared < known) gain += (this.left[i] ?? 0) - unexplained(squared);
    });
    return gain;
  }
}

interface Candidate {
  readonly spec: ConvSpec;
  readonly at: Float64Array;
}

/**
 * Picks `count` candidates and adds them to the cover. Each pick is the best of a random part of the remaining candidates
 * (stochastic greedy: Mirzasoleiman et al. 2015). Returns them in the order of the picks, and fewer when there are fewer
 * candidates.
 */
export function pickGreedily(
  cover: Cover,
  candidates: readonly ConvSpec[],
  count: number,
  draws: Draws,
): ConvSpec[] {
  const left = candidates.map((spec): Candidate => ({ spec, at: coordinatesOf(spec) }));
  const looks = Math.ceil((candidates.length / count) * log(1 / MISSED));
  const picked: ConvSpec[] = [];
  while (picked.length < count && left.length > 0) {
    let [best, bestGain] = [0, -1];
    for (let look = 0; look < Math.min(looks, left.length); look++) {
      // Candidates already compared move to the front, so that none is compared twice.
      swap(left, look, draws.integer(look, left.length - 1));
      const gain = cover.gain(left[look]?.at ?? new Float64Array());
      if (gain > bestGain) [best, bestGain] = [look, gain];
    }
    swap(left, best, left.length - 1);
    const chosen = left.pop();
    if (chosen === undefined) break;
    cover.add(chosen.at);
    picked.push(chosen.spec);
  }
  return picked;
}

function swap(items: Candidate[], a: number, b: number): void {
  [items[a], items[b]] = [items[b] as Candidate, items[a] as Candidate];
}
