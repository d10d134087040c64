import { percent } from '@alphaflops/contracts/text';
import type { Campaign, CampaignProgress, Model } from '@alphaflops/contracts';
import { alpha } from '@alphaflops/conv';
import { noiseFloorText } from './noise-floor.js';

/**
 * Time counts as proportional to FLOPs if the median error of raw FLOPs and the fitted α both are within this share.
 */
const NEAR = 0.1;
/** A layer in the middle of a network: 56 × 56 outputs, by the kernel of each group. */
const POINTS = 56 * 56;

/** Explains a fitted α to the reader, from its coefficients and the held-out errors. */
export function whatTheAlphaMeans({ forms, chosenForm }: Model): string {
  const flops = forms.find(({ form }) => form === 'flops')?.heldOut?.medianApe;
  const best = forms.find(({ form }) => form === chosenForm)?.heldOut?.medianApe;
  const alphas = fittedAlphas(forms.find(({ form }) => form === 'alpha')?.groups ?? []);
  const errors = [
    flops === undefined ? null : `raw FLOPs ${percent(flops)}`,
    best === undefined || chosenForm === 'flops' ? null : `${chosenForm} ${percent(best)}`,
  ].filter((text) => text !== null);
  const known = alphas.flatMap(({ at }) => (at === null ? [] : [at]));
  const isNear = flops !== undefined && flops <= NEAR && known.every((at) => Math.abs(at - 1) <= NEAR);
  const shown = alphas
    .map(({ group, at }) => `${group} kernels ${at === null ? 'unknown' : at.toFixed(3)}`)
    .join(', ');
  return [
    ...(isNear
      ? ['Time is nearly proportional to FLOPs here.']
      : [
          'Time is not proportional to FLOPs here; α shows how much cheaper a multiply-add is on a large image.',
        ]),
    known.length === 0
      ? 'These data do not determine β and γ, so no α is shown.'
      : `α at 56 × 56 outputs: ${shown}.`,
    ...(errors.length === 0 ? [] : [`Median error on held-out shapes: ${errors.join(', ')}.`]),
  ].join('\n');
}

function fittedAlphas(
  groups: Model['forms'][number]['groups'],
): { readonly group: string; readonly at: number | null }[] {
  return groups.map(({ group, parameters }) => {
    const [beta, gamma] = ['beta', 'gamma'].map((name) => parameters.find((found) => found.name === name));
    const isKnown =
      beta !== undefined &&
      gamma !== undefined &&
      [beta, gamma].every(({ state }) => state !== 'not-identifiable');
    const kernelPoints = group === '1x1' ? 1 : 9;
    const at = isKnown ? alpha(POINTS, kernelPoints, { beta: beta.value, gamma: gamma.value }) : null;
    return { group, at };
  });
}

/**
 * The effect of other programs on a campaign, and what to do about it; null without an effect. * @param worker the
 * worker's report of a disturbance that does not end
 */
export function disturbanceText(
  { outcomes, totalSlots }: CampaignProgress,
  worker: string | null = null,
): string | null {
  // Outcomes without samples are absent.
  const noisy = outcomes.noisy || 0;
  if (noisy === 0) return null;
  return (
    (worker === null ? '' : `This machine stays disturbed: ${worker}.\n`) +
    `${noisy} of ${totalSlots} samples are noisy: other programs used this machine while they were measured.\n` +
    'The fit does not use them. For more good samples, end the busy programs, and run the demo again.'
  );
}

/** The noise floor of a campaign, and how many samples were measured again or for a third time. */
export function visitsText({ noiseFloor }: CampaignProgress, { repeats, request }: Campaign): string | null {
  if (repeats === undefined) return null;
  const count = (replicate: number) =>
    repeats.revisits
      .filter((revisit) => revisit.replicate === replicate)
      .reduce((sum, { specIndexes }) => sum + specIndexes.length, 0);
  const third = count(request.replicates + 1);
  return [
    noiseFloor === null
      ? 'The noise floor is unknown: no shape has two good visits.'
      : `Noise floor: ${noiseFloorText(noiseFloor)}. No model of this machine can be much better.`,
    `${count(request.replicates)} shapes were measured again; ${third} of them a third time, because two visits disagreed.`,
  ].join('\n');
}
