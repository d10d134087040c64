import type { Model } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { along, fits, fittedValues, type ResponseAxis } from './axis-response.js';
import { compileKernelClassifier } from './kernels/kernel-classifier.js';

/** A run of values of one axis for which the model assumes the same kernel. */
export interface KernelRun {
  readonly axis: ResponseAxis;
  readonly from: number;
  readonly to: number;
  /** As cudnn-frontend spells it. */
  readonly kernel: string;
  /** Mean probability of the kernel over the values. */
  readonly probability: number;
}

/**
 * The kernels along one axis of a shape, over the fitted range; empty for a model without kernels.
 *
 * @throws ModelError `bad-document` when the classifier of the model is not readable
 */
export function kernelsAlong(model: Model, spec: ConvSpec, axis: ResponseAxis): KernelRun[] {
  if (!model.kernels) return [];
  const likely = compileKernelClassifier(model.kernels.classifier);
  const runs: (KernelRun & { readonly count: number })[] = [];
  for (const value of fittedValues(model, axis)) {
    const varied = along(spec, axis, value);
    const first = fits(varied) ? likely(varied)[0] : undefined;
    if (!first) continue;
    const last = runs.at(-1);
    if (last?.kernel === first.kernel) {
      const count = last.count + 1;
      const probability = last.probability + (first.probability - last.probability) / count;
      runs[runs.length - 1] = { ...last, to: value, probability, count };
    } else {
      runs.push({ axis, from: value, to: value, ...first, count: 1 });
    }
  }
  return runs.map(({ from, to, kernel, probability }) => ({ axis, from, to, kernel, probability }));
}
