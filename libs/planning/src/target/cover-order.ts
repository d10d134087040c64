import type { ConvSpec } from '@alphaflops/conv';
import { chooseNext } from '../adaptive/choose.js';
import { Draws } from '../draws.js';

/**
 * Largest number of shapes that are chosen to represent the others. They are more typical than the rest. The error of a fit is
 * estimated from all samples, so that more of these shapes would make the estimate too low.
 */
const MAX_COVERING = 100;

/**
 * A list in an order whose beginning represents the whole list. First come up to 100 shapes that cover the others as well as
 * possible. The rest follow in random order, so that a campaign may leave out the end of the list.
 */
export function coveringFirst(specs: readonly ConvSpec[], seed: number): ConvSpec[] {
  const count = Math.min(MAX_COVERING, specs.length);
  const first = chooseNext([], specs, { count, seed, device: {} });
  const chosen = new Set(first);
  return [...first, ...new Draws(seed).shuffled(specs.filter((spec) => !chosen.has(spec)))];
}
