import type { Model } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { log } from '@alphaflops/elementary';
import { compileModel, fitModel, formNamed, shapesOf, timeSamples, type FitSample } from '@alphaflops/models';
import { quantileSorted } from 'simple-statistics';
import { bestFit, type FitOptions } from '../adaptive/best-fit.js';

/** A fit between two rounds, with its error. Errors are shares. */
export interface InterimFit {
  readonly form: string;
  /** Number of shapes in the fit. */
  readonly shapes: number;
  /** Median of |predicted − measured| / measured over shapes that the fit did not see. */
  readonly medianApe: number;
  /** Standard error of `medianApe`: half the width of its 68 % interval by order statistics. */
  readonly standardError: number;
  /** Number of samples from which the median is computed. */
  readonly judgedBy: number;
}

export interface InterimOptions extends FitOptions {
  /** A registered form, or `auto`. */
  readonly form: string;
  /** Samples of test shapes; empty: cross-validation gives the error. */
  readonly test: readonly FitSample[];
}

/**
 * Some forms predict by the median of several members. Each fold of cross-validation computes the error of one member only, and
 * on new shapes the median is better by this factor (docs/benchmarks.md, "held-out estimate"). With few shapes no correction
 * is needed: the fold also decides when the boosting of its member stops, which makes the error too low by as much.
 */
const MEDIAN_OF_MEMBERS = { factor: 1.11, fromShapes: 300, inFullShapes: 1000 };

/** Largest number of shapes in an interim fit. Of more shapes, this number is drawn; a fit of all of them has a slightly lower error. */
export const MAX_INTERIM_SHAPES = 10_000;

/**
 * Fits the present samples in the same way as the fit at the end of a campaign, and estimates its held-out error. The samples of
 * `test`, if there are any, give the error: shapes chosen by an earlier fit are harder to predict than those of the
 * distribution they come from.
 *
 * @throws ModelError `no-samples`, `bad-sample`, `unknown-form`
 */
export function interimFit(
  samples: readonly FitSample[],
  { form, seed, device, test }: InterimOptions,
): InterimFit & { readonly predictMs: (spec: ConvSpec) => number } {
  if (test.length > 0) return judgedByTest(samples, test, { seed, device });
  const origin = { digest: 'interim', codeVersion: '', createdAt: new Date(0).toISOString() };
  const model = fitModel(samples, { form, seed, device, mostShapes: MAX_INTERIM_SHAPES, origin });
  const errors = heldOutErrors(model);
  const judgedBy = model.data.samples;
  const pessimism = formNamed(model.chosenForm).pessimism === undefined ? 1 : gainOfMedian(model.data.shapes);
  const predict = compileModel(model);
  const { heldOut = null } = model.forms.find(({ form: each }) => each === model.chosenForm) ?? {};
  return {
    form: model.chosenForm,
    shapes: model.data.shapes,
    medianApe: (heldOut?.medianApe ?? Infinity) / pessimism,
    standardError: standardErrorOfMedian(errors, judgedBy) / pessimism,
    judgedBy,
    predictMs: (spec) => predict(spec).predictedMs,
  };
}

function gainOfMedian(shapes: number): number {
  const { factor, fromShapes, inFullShapes } = MEDIAN_OF_MEMBERS;
  const share = log(shapes / fromShapes) / log(inFullShapes / fromShapes);
  return 1 + (factor - 1) * Math.max(0, Math.min(1, share));
}

function judgedByTest(
  samples: readonly FitSample[],
  test: readonly FitSample[],
  options: FitOptions,
): ReturnType<typeof interimFit> {
  const { form, predict } = bestFit(samples, options);
  const errors = test
    .map(({ spec, timeMs }) => Math.abs(predict(spec).value / timeMs - 1))
    .sort((a, b) => a - b);
  return {
    form,
    shapes: shapesOf(timeSamples(samples)).length,
    medianApe: quantileSorted(errors, 0.5),
    standardError: standardErrorOfMedian(errors, errors.length),
    judgedBy: errors.length,
    predictMs: (spec) => predict(spec).value,
  };
}

/** Errors of the held-out shapes in the document, in ascending order. */
function heldOutErrors({ heldOut }: Model): number[] {
  return (heldOut?.points ?? [])
    .map(([, measured, predicted]) => Math.abs(predicted / measured - 1))
    .sort((a, b) => a - b);
}

/**
 * Half the distance between the order statistics at n/2 ± √n/2. For any distribution, the median of the population is between
 * them in 68 % of cases (binomial interval; David and Nagaraja, Order Statistics, 2003, section 7.1).
 *
 * @param errors in ascending order; a representative part of the `n` errors is enough
 */
export function standardErrorOfMedian(errors: readonly number[], n: number): number {
  if (errors.length < 2) return Infinity;
  const half = Math.min(0.5, 0.5 / Math.sqrt(n));
  return (quantileSorted(errors, 0.5 + half) - quantileSorted(errors, 0.5 - half)) / 2;
}
