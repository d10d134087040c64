import type { Metrics } from '@alphaflops/contracts';
import { exp, log } from '@alphaflops/elementary';
import { specKey } from '@alphaflops/conv';
import { FOLDS_OF_MEMBERS } from './axes/shared-fits.js';
import { foldsByShape } from './folds.js';
import type { OutOfFold, CostPredictor } from './form.js';
import { conformalQuantile } from './interval.js';
import { kernelNames, mixedCost } from './kernels/assumed-kernels.js';
import {
  compileKernelClassifier,
  fitKernelClassifier,
  type ClassifierFit,
  type KernelLabel,
} from './kernels/kernel-classifier.js';
import { judge } from './metrics.js';
import type { CostSample } from './sample.js';

const { abs } = Math;

/** Minimum numbers of timed shapes with a known kernel and of labelled shapes. One of the two is needed to predict kernels. */
const MIN_TIMED = 40;
const MIN_LABELS = 500;

/** Samples that all have a kernel, and the classifier of the kernels of other shapes. */
export interface KernelKnowledge {
  readonly samples: readonly CostSample[];
  readonly classifier: ClassifierFit;
  readonly labels: number;
  /** Number of samples with a given kernel: their own, or from the labels. */
  readonly given: number;
}

/**
 * Gives every sample a kernel: its own, that of the labelled shape, or the most likely one by the classifier.
 * Null if there are too few kernels.
 */
export function knowKernels(
  samples: readonly CostSample[],
  labels: readonly KernelLabel[],
  seed: number,
): KernelKnowledge | null {
  const byKey = new Map(labels.map(({ spec, kernel }) => [specKey(spec), kernel]));
  const withKernel = samples.map((sample) => ({
    ...sample,
    kernel: sample.kernel ?? byKey.get(sample.key) ?? null,
  }));
  const timed = withKernel.flatMap(({ spec, kernel }) => (kernel === null ? [] : [{ spec, kernel }]));
  if (timed.length < MIN_TIMED && labels.length < MIN_LABELS) return null;
  const folds = foldsByShape(samples, seed, FOLDS_OF_MEMBERS);
  const classifier = fitKernelClassifier(labels, timed, folds, seed);
  const likely = compileKernelClassifier(classifier.classifier);
  return {
    samples: withKernel.map((sample) => ({
      ...sample,
      kernel: sample.kernel ?? likely(sample.spec)[0]?.kernel ?? null,
    })),
    classifier,
    labels: new Set([...byKey.keys(), ...timed.map(({ spec }) => specKey(spec))]).size,
    given: timed.length,
  };
}

/**
 * Held-out errors divided by those of the published classifier. The published classifier has the votes of all trees, and only a
 * fifth of the trees leave out a given fold. Measured on other data; the true factor is probably larger.
 */
const FEW_VOTES = 1.12;

/** The accuracy of predictions without a given kernel. */
export interface AssumedKernels {
  readonly heldOut: Metrics;
  readonly logHalfWidth: number | null;
  /** Share of the timed shapes whose kernel is predicted correctly without having been seen. */
  readonly accuracy: number;
}

/**
 * Computes the errors of predictions with assumed kernels on held-out shapes. The held-out log time is changed by the same
 * amount as the assumption changes the prediction of the whole fit.
 *
 * @param heldOut predictions with the kernel given
 */
export function judgeAssumed(
  samples: readonly CostSample[],
  heldOut: OutOfFold,
  pessimism: number,
  { classifier }: KernelKnowledge,
  predict: CostPredictor,
  coverage: number,
): AssumedKernels {
  const nameOf = kernelNames();
  const likelyOf = compileKernelClassifier(classifier.classifier);
  const rows = samples.map(({ key, spec, kernel, value: measured }, i) => {
    const likely = classifier.heldOut.get(key) ?? likelyOf(spec);
    const mixed = mixedCost(predict, spec, likely, nameOf);
    const known = predict(spec, nameOf(kernel ?? ''));
    const predicted = ((heldOut.values[i] ?? NaN) * mixed.value) / known.value;
    const spread = ((heldOut.spread[i] ?? 1) * mixed.spread) / known.spread;
    return { measured, predicted, spread, right: likely[0]?.kernel === kernel };
  });
  const scores = rows.map(
    ({ measured, predicted, spread }) => abs(log(measured / predicted)) / spread / pessimism / FEW_VOTES,
  );
  const logHalfWidth = conformalQuantile(scores, coverage);
  const metrics = judge(
    rows.map(({ measured, predicted, spread }) => {
      const factor = logHalfWidth === null ? null : exp(logHalfWidth * spread);
      const [lower, upper] = factor === null ? [null, null] : [predicted / factor, predicted * factor];
      return { measured, predicted, lower, upper };
    }),
  );
  const accuracy = rows.filter(({ right }) => right).length / rows.length;
  return { heldOut: metrics, logHalfWidth, accuracy };
}
