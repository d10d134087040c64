import type { ConvSpec } from '@alphaflops/conv';
import { exp, log } from '@alphaflops/elementary';
import type { PredictedCost, CostPredictor } from '../form.js';
import type { LikelyKernel } from './kernel-classifier.js';
import { kernelNameOf, type KernelName } from './kernel-name.js';

/** How much wider an interval is foreseen where no vote goes to the assumed kernel. */
const UNSURE = 2;

/** Names that were read, by their text: they are few. */
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
 * Cost where the kernel is not known: the mean of the log costs under the likely kernels, by their probabilities. The less
 * sure the first one is, the wider the spread.
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
