import type { ConvSpec } from '@alphaflops/conv';
import { exp, log } from '@alphaflops/elementary';
import type { PredictedCost, CostPredictor } from '../form.js';
import type { LikelyKernel } from './kernel-classifier.js';
import { kernelNameOf, type KernelName } from './kernel-name.js';

/** Factor of the spread when the assumed kernel has no votes. */
const UNSURE = 2;

/** Parsed names by their text. There are only a few. */
export function kernelNames(): (text: string) => KernelName {
  const known = new Map<string, KernelName>();
  return (text) => {
    const found = known.get(text);
    if (found) return found;
    const name = kernelNameOf(text);
    known.set(text, name);
    return name;
  };
}

/**
 * Cost when the kernel is not known: the mean of the log costs with the likely kernels, weighted by their probabilities. The
 * spread is wider when the first kernel is less probable.
 */
export function mixedCost(
  predict: CostPredictor,
  spec: ConvSpec,
  likely: readonly LikelyKernel[],
  nameOf: (text: string) => KernelName,
): PredictedCost {
  let [sum, spread, weight] = [0, 0, 0];
  for (const { kernel, probability } of likely) {
    const under = predict(spec, nameOf(kernel));
    sum += probability * log(under.value);
    spread += probability * under.spread;
    weight += probability;
  }
  const first = likely[0]?.probability ?? 0;
  return { value: exp(sum / weight), spread: (spread / weight) * (1 + UNSURE * (1 - first)) };
}
