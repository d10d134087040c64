import { specKey, type ConvSpec } from '@alphaflops/conv';
import { log } from '@alphaflops/elementary';
import type { FitSample, CostPredictor } from '@alphaflops/models';
import { Draws } from '../draws.js';
import { bestFit, type FitOptions } from './best-fit.js';
import { Cover, pickGreedily } from './cover.js';
import { coordinatesOf, squaredDistance } from './shape-space.js';

export interface ChooseOptions extends FitOptions {
  /** Number of specs to choose. */
  readonly count: number;
}

/** Limits of the candidates and targets of a cover. More make it slower and hardly better. */
const MAX_CANDIDATES = 6000;
const MAX_TARGETS = 3000;
/** Up to this number of measured shapes, the next shapes are chosen by their cover. With more, random draws are as good. */
const MAX_COVERING = 250;

/** Expected errors are limited to this quantile. Shapes that the form cannot describe at all would otherwise be drawn most. */
const CAP = 0.9;
/** Weight of a shape at distance 0 from a measured one. The weight grows with the distance. */
const NEAR = 0.1;

/**
 * Chooses the next shapes to measure. The candidates come from the distribution for which the model should be accurate. While
 * few shapes are measured, it chooses shapes that represent those far from any measured shape ({@link Cover}). Later it draws
 * shapes at random. The weight of a shape is then the error that a fit of the samples expects, times the distance to the
 * nearest measured shape. Deterministic: the same samples (in any order), candidates and options give the same choice, in the
 * order in which it should be measured.
 *
 * @param candidates none of them measured; if there are fewer than `count`, all are chosen
 */
export function chooseNext(
  measured: readonly FitSample[],
  candidates: readonly ConvSpec[],
  options: ChooseOptions,
): ConvSpec[] {
  const model = measured.length === 0 ? null : bestFit(measured, options).predict;
  return chooseBy(model, measured, candidates, options);
}

/** As {@link chooseNext}, with an existing fit of the samples; null when nothing is measured. */
export function chooseBy(
  model: CostPredictor | null,
  measured: readonly FitSample[],
  candidates: readonly ConvSpec[],
  { count, seed }: Pick<ChooseOptions, 'count' | 'seed'>,
): ConvSpec[] {
  const draws = new Draws(seed);
  const known = new Map(measured.map(({ spec }) => [specKey(spec), coordinatesOf(spec)]));
  const toCover = Math.min(count, MAX_COVERING - known.size);
  const covering = toCover > 0 ? chooseCovering([...known.values()], candidates, toCover, draws) : [];
  const chosen = new Set(covering.map(specKey));
  const others = candidates.filter((spec) => !chosen.has(specKey(spec)));
  for (const spec of covering) known.set(specKey(spec), coordinatesOf(spec));
  return [...covering, ...drawWeighted(model, [...known.values()], others, count - covering.length, draws)];
}

function chooseCovering(
  known: readonly Float64Array[],
  candidates: readonly ConvSpec[],
  count: number,
  draws: Draws,
): ConvSpec[] {
  const cover = new Cover(draws.shuffled(candidates).slice(0, MAX_TARGETS));
  for (const point of known) cover.add(point);
  return pickGreedily(cover, draws.shuffled(candidates).slice(0, MAX_CANDIDATES), count, draws);
}

function drawWeighted(
  model: CostPredictor | null,
  known: readonly Float64Array[],
  candidates: readonly ConvSpec[],
  count: number,
  draws: Draws,
): ConvSpec[] {
  const errors = candidates.map((spec) => model?.(spec).spread ?? 1);
  const cap = [...errors].sort((a, b) => a - b)[Math.floor(CAP * errors.length)] ?? Infinity;
  return candidates
    .map((spec, i) => {
      const weight = Math.min(errors[i] ?? 0, cap) * (NEAR + nearest(coordinatesOf(spec), known));
      // The largest of these keys are a weighted draw without replacement (Efraimidis and Spirakis 2006).
      return { spec, key: log(1 - draws.uniform()) / weight };
    })
    .sort((a, b) => b.key - a.key)
    .slice(0, count)
    .map(({ spec }) => spec);
}

/** Distance to the nearest of the given points. */
function nearest(point: Float64Array, points: readonly Float64Array[]): number {
  let least = Infinity;
  for (const other of points) {
    const squared = squaredDistance(point, other, least);
    if (squared < least) least = squared;
  }
  return Math.sqrt(least);
}
