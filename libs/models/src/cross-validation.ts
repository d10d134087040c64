import type { Metrics } from '@alphaflops/contracts';
import { exp, log } from '@alphaflops/elementary';
import type { FitContext, Form, FormFit, OutOfFold } from './form.js';
import { conformalQuantile } from './interval.js';
import { judge } from './metrics.js';
import type { CostSample } from './sample.js';

export const FOLDS = 10;
/** With fewer shapes than this, a held-out error would have no meaning. */
export const MIN_SHAPES = 10;

/** The errors of a form on shapes to which it was not fitted. */
export interface HeldOut extends OutOfFold {
  /** The coverage counts the samples of each fold in the interval of the other folds. */
  readonly metrics: Metrics;
  /** |log(t/t̂)| of every sample, divided by the spread that the form predicts. */
  readonly logErrors: readonly number[];
}

/**
 * Computes the errors of a form on held-out shapes. `whole` is its fit to all samples. If this fit has predictions by parts
 * that did not see the shape, they are used. Otherwise the fits of the folds start from it.
 */
export function crossValidate(
  form: Form,
  samples: readonly CostSample[],
  folds: ReadonlyMap<string, number>,
  whole: FormFit,
  context: FitContext,
  coverage: number,
): HeldOut {
  const foldOf = (sample: CostSample): number => folds.get(sample.key) ?? 0;
  const predicted = whole.outOfFold ?? refitted(form, samples, foldOf, whole, context);
  const rows = samples.map((sample, i) => {
    const value = predicted.values[i] ?? NaN;
    const spread = predicted.spread[i] ?? 1;
    const logError = Math.abs(log(sample.value / value)) / spread;
    return { fold: foldOf(sample), measured: sample.value, predicted: value, spread, logError };
  });
  const errorsByFold = Array.from({ length: FOLDS }, (): number[] => []);
  for (const { fold, logError } of rows) errorsByFold[fold]?.push(logError);
  const widths = errorsByFold.map((_, fold) =>
    conformalQuantile(
      errorsByFold.flatMap((errors, other) => (other === fold ? [] : errors)),
      coverage,
    ),
  );
  const metrics = judge(
    rows.map(({ fold, spread, measured, predicted: value }) => {
      const width = widths[fold] ?? null;
      return {
        measured,
        predicted: value,
        lower: width === null ? null : value / exp(width * spread),
        upper: width === null ? null : value * exp(width * spread),
      };
    }),
  );
  return { ...predicted, metrics, logErrors: rows.map(({ logError }) => logError) };
}

function refitted(
  form: Form,
  samples: readonly CostSample[],
  foldOf: (sample: CostSample) => number,
  whole: FormFit,
  context: FitContext,
): OutOfFold {
  const values = new Float64Array(samples.length);
  const spread = new Float64Array(samples.length);
  for (const fold of new Set(samples.map(foldOf))) {
    const training = samples.filter((sample) => foldOf(sample) !== fold);
    const fit = form.fit(training, { ...context, near: whole });
    const predict = form.compile(fit, context.device, context.source?.fitted);
    samples.forEach((sample, i) => {
      if (foldOf(sample) !== fold) return;
      const predicted = predict(sample.spec);
      values[i] = predicted.value;
      spread[i] = predicted.spread;
    });
  }
  return { values, spread };
}
