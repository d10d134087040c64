import { exp, log } from '@alphaflops/elementary';
import { z } from 'zod';
import type { Frame } from '../axes/frame.js';
import type { Shape } from '../axes/shape.js';
import type { FitContext, OutOfFold, PredictedCost } from '../form.js';
import { binned, type Binned } from './bins.js';
import { boost, type BoostOptions } from './boost.js';
import { F, FEATURES, fillFeatures } from './features.js';
import { Forests, storedTree, StoredTreeSchema, type StoredTree } from './forest.js';

const { abs, max, min } = Math;

/** A fit without one fold of shapes, which trees correct. */
export interface BaseMember {
  readonly training: Int32Array;
  /** Samples of the held-out fold. */
  readonly heldOut: Int32Array;
  /** Logarithms of the costs of all samples. */
  readonly logCost: Float64Array;
}

/** Trees of all members and of the spread, in the document. */
export const BoostedMembersSchema = z.object({
  processors: z.number().positive(),
  features: z.array(z.string()),
  members: z.array(z.array(StoredTreeSchema)).min(1),
  /** Log spread: trees on all features, the last being the predicted log time. */
  spread: z.array(StoredTreeSchema),
});
export type BoostedMembers = z.infer<typeof BoostedMembersSchema>;

/** Few, strong trees: as accurate as many weak ones, with faster predictions. */
const CORRECTION = { loss: 'absolute', learningRate: 0.2, mostTrees: 60, featureShare: 0.5, rowShare: 0.7, shrinkage: 1 } as const; // prettier-ignore
const SPREAD = { loss: 'squared', learningRate: 0.1, mostTrees: 30, featureShare: 0.5, rowShare: 0.7, mostLeaves: 8, least: 20, shrinkage: 1 } as const; // prettier-ignore
/** Features along which a tree must not fall (docs/decisions/0009-monotone-trees.md). */
const RISING: ReadonlySet<number> = new Set(
  ['batch', 'log macs', 'log bytes'].map((name) => FEATURES.indexOf(name)),
);
const MAX_LEAVES = 31;
/** With fewer samples than this, trees would only learn noise. */
const MIN_SHAPES_OF_A_SPREAD = 100;
/** Smaller log errors count as this value. */
const MIN_ERROR = 0.02;
/** Spreads are limited to this factor above and below the typical one. */
const MAX_SPREAD = 4;

/** Grows trees on the residuals of each base. The errors of a member on its own fold are the held-out errors. */
export function boostMembers(
  frame: Frame,
  bases: readonly BaseMember[],
  context: FitContext,
): { readonly members: BoostedMembers; readonly outOfFold: OutOfFold } {
  const features = featureColumns(frame);
  const logCost = new Float64Array(frame.shapes.length);
  const trees = bases.map((base, m) => {
    const grown = correct(frame, features, base, m, context);
    for (const i of base.heldOut) logCost[i] = grown.logCost[i] ?? NaN;
    return grown.trees;
  });
  const spread = fitSpread(frame, [...features, binned(logCost)], bases, logCost, context.seed);
  return {
    members: {
      processors: frame.processors,
      features: [...FEATURES],
      members: trees,
      spread: spread.trees,
    },
    outOfFold: { values: logCost.map(exp), spread: spread.outOfFold },
  };
}

/**
 * Prepares the prediction from a shape and the log times of the members' bases: the median member, with the spread.
 *
 * @throws ModelError `bad-document`.
 */
export function compileMembers({
  processors,
  features,
  members,
  spread,
}: BoostedMembers): (shape: Shape, baseLogCost: (m: number) => number) => PredictedCost {
  const count = members.length;
  // The analytic time is the last feature. It differs between members.
  const width = F - 1 + count;
  const places = features.map((name) => FEATURES.indexOf(name));
  const placeOf = (feature: number, m: number): number | undefined =>
    places[feature] === F - 1 ? F - 1 + m : places[feature];
  const forests = new Forests(members, width, placeOf);
  const spreads = new Forests([spread], width, placeOf);
  const vector = new Float64Array(width);
  const logCosts = new Float64Array(count);
  const logSpread = new Float64Array(1);
  return (shape, baseLogCost) => {
    fillFeatures(shape, processors, vector);
    for (let m = 0; m < count; m++) vector[F - 1 + m] = baseLogCost(m);
    forests.values(vector, logCosts);
    for (let m = 0; m < count; m++) logCosts[m] = (logCosts[m] ?? 0) + (vector[F - 1 + m] ?? 0);
    const logCost = logCosts.sort()[count >> 1] ?? NaN;
    vector[F - 1] = logCost;
    spreads.values(vector, logSpread);
    return { value: exp(logCost), spread: spreadOf(logSpread[0] ?? 0) };
  };
}

/** Factor of the typical error, from its logarithm. */
export const spreadOf = (logSpread: number): number => min(max(exp(logSpread), 1 / MAX_SPREAD), MAX_SPREAD);

/** All features but the last, binned. */
export function featureColumns({ shapes, processors }: Frame): Binned[] {
  const columns = Array.from({ length: F - 1 }, () => new Float64Array(shapes.length));
  const vector = new Float64Array(F);
  shapes.forEach((shape, i) => {
    fillFeatures(shape, processors, vector);
    columns.forEach((column, f) => (column[i] = vector[f] ?? 0));
  });
  return columns.map(binned);
}

function correct(
  frame: Frame,
  features: readonly Binned[],
  base: BaseMember,
  m: number,
  context: FitContext,
): { trees: StoredTree[]; logCost: Float64Array } {
  const { trees, values } = boostRest(frame, [...features, binned(base.logCost)], base, m, context);
  return { trees, logCost: base.logCost.map((value, i) => value + (values[i] ?? 0)) };
}

/**
 * Trees of member m on the residuals of its base. The first columns are those of the registered features.
 *
 * @param mostLeaves of a tree, when there are many samples
 */
export function boostRest(
  frame: Frame,
  columns: readonly Binned[],
  { training, heldOut, logCost: base }: BaseMember,
  m: number,
  { seed }: Pick<FitContext, 'seed'>,
  mostLeaves = MAX_LEAVES,
): { trees: StoredTree[]; values: Float64Array } {
  const n = base.length;
  const target = frame.logCost.map((value, i) => value - (base[i] ?? 0));
  const options: BoostOptions = {
    ...CORRECTION,
    ...(n < MIN_SHAPES_OF_A_SPREAD && { mostTrees: 0 }),
    mostLeaves: min(mostLeaves, n < 1500 ? 12 : n < 4000 ? 20 : MAX_LEAVES),
    least: n < 1000 ? 5 : 10,
    seed: memberSeed(seed, m),
    rising: RISING,
  };
  const { trees, values } = boost(columns, target, training, heldOut, options);
  return { trees: trees.map((grown) => storedTree(grown, columns)), values };
}

const memberSeed = (seed: number, m: number): number => seed * 101 + m;

/** Trees on the log of the held-out errors, cross-fitted over the same folds for the conformal scores. */
export function fitSpread(
  frame: Frame,
  columns: readonly Binned[],
  bases: readonly Pick<BaseMember, 'training' | 'heldOut'>[],
  logCost: Float64Array,
  seed: number,
): { trees: StoredTree[]; outOfFold: Float64Array } {
  const errors = frame.logCost.map((value, i) => log(abs(value - (logCost[i] ?? 0)) + MIN_ERROR));
  const typical = Float64Array.from(errors).sort()[errors.length >> 1] ?? 0;
  const target = errors.map((value) => value - typical);
  const mostTrees = errors.length < MIN_SHAPES_OF_A_SPREAD ? 0 : SPREAD.mostTrees;
  const fitTo = (rows: Int32Array, m: number) =>
    boost(columns, target, rows, null, { ...SPREAD, mostTrees, seed: memberSeed(seed, m) });
  const outOfFold = new Float64Array(errors.length).fill(1);
  bases.forEach(({ training, heldOut }, m) => {
    const { values } = fitTo(training, m);
    for (const i of heldOut) outOfFold[i] = spreadOf(values[i] ?? 0);
  });
  const whole = fitTo(Int32Array.from(errors.keys()), bases.length);
  return { trees: whole.trees.map((tree) => storedTree(tree, columns)), outOfFold };
}
