import type { Network } from './network.js';

/** Describes how much of a network the total over its costed layers covers. */
export function completenessText({ completeness, format }: Pick<Network, 'completeness' | 'format'>): string {
  const { isComplete, layersFound, layersCosted, missing, missingShare, firstLoss } = completeness;
  const layers = `${layersCosted} of ${layersFound} ${layersFound === 1 ? 'layer that multiplies is' : 'layers that multiply are'} costed`;
  if (isComplete) return `The total is complete: ${layers}.`;
  const share =
    missingShare === null
      ? 'the missing share of the multiply-adds is unknown'
      : `at least ${percent(missingShare)} of the multiply-adds are missing`;
  const unknown = missing.filter(({ macs }) => macs === null).length > 0 ? reasonsOf(completeness) : '';
  const lost = firstLoss === null ? '' : ` Sizes were lost first at ${firstLoss.op} "${firstLoss.name}".`;
  const advice =
    firstLoss !== null && format === 'tfjs-graph'
      ? ' Some sizes of this TensorFlow.js model depend on values in its weight files (.bin): add these files.'
      : '';
  return `The total is a lower bound: ${layers}; ${share}${unknown}.${lost}${advice}`;
}

function reasonsOf({ missing }: Network['completeness']): string {
  const unknown = missing.filter(({ macs }) => macs === null).map(({ op }) => op);
  return ` (${[...new Set(unknown)].slice(0, 3).join(', ')})`;
}

/** Rounds down to three digits, because the share is a lower bound. */
function percent(share: number): string {
  if (share === 0) return '0 %';
  const digit = 10 ** (Math.floor(Math.log10(100 * share)) - 2);
  return `${Number((Math.floor((100 * share) / digit) * digit).toPrecision(3))} %`;
}
