import type { ConvSpec } from '@alphaflops/conv';
import { chooseNext } from '../adaptive/choose.js';
import { Draws } from '../draws.js';

/**
 * Shapes chosen to stand for the others. They are more typical than the rest, and the error of a fit is estimated from all that
 * is measured: more of them would make it look better than it is.
 */
const MAX_COVERING = 100;

/**
 * A list in an order whose beginning stands for the whole: first up to 100 shapes that cover the others as well as so few
 * can, then the rest in random order, so that any end of the list may be left out.
 */
export function coveringFirst(specs: readonly ConvSpec[], seed: number): ConvSpec[] {
  const count = Math.min(MAX_COVERING, specs.length);
  const first = chooseNext([], specs, { count, seed, device: {} });
  const chosen = new Set(first);
  return [...first, ...new Draws(seed).shuffled(specs.filter((spec) => !chosen.has(spec)))];
}
