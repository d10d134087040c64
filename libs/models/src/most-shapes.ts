import { specKey } from '@alphaflops/conv';
import { timeSamples, shapesOf, type FitSample, type CostSample } from './sample.js';
import { shuffled } from './shuffle.js';

/** Largest number of shapes in a fit. A fit of 20,000 shapes takes about half a minute. */
export const MAX_SHAPES = 20_000;

/** Reason in `data.excluded` of samples whose shapes were not drawn. */
const NOT_DRAWN = 'of shapes not drawn';

export interface DrawnSamples {
  readonly shaped: readonly CostSample[];
  /** The same samples in the given form. */
  readonly samples: readonly FitSample[];
  readonly excluded: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

/**
 * All samples of at most `most` shapes. If there are more shapes, `most` of them are drawn with equal probability. The draw
 * depends on the seed and not on the order of the samples.
 *
 * @throws ModelError as `timeSamples`
 */
export function samplesToFit(samples: readonly FitSample[], seed: number, most: number): DrawnSamples {
  const shaped = timeSamples(samples);
  const shapes = shapesOf(shaped);
  if (shapes.length <= most) return { shaped, samples, excluded: {}, notes: [] };
  const drawn = new Set(shuffled(shapes, seed).slice(0, most));
  const kept = shaped.filter(({ key }) => drawn.has(key));
  return {
    shaped: kept,
    samples: samples.filter(({ spec }) => drawn.has(specKey(spec))),
    excluded: { [NOT_DRAWN]: shaped.length - kept.length },
    notes: [`fitted to ${most} of ${shapes.length} shapes, drawn at random by the seed: a fit uses no more`],
  };
}
