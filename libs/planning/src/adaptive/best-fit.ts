import { formNamed, timeSamples, shapesOf, type FitSample, type CostPredictor } from '@alphaflops/models';

/** The most accurate first; the last one makes do with any number of shapes. */
const FORMS = ['boosted', 'alpha-axes', 'alpha-latency'];

export interface FitOptions {
  readonly seed: number;
  /** Constants of the device, for example `smCount`. */
  readonly device: Readonly<Record<string, number>>;
}

export interface BestFit {
  /** Name of the form. */
  readonly form: string;
  readonly predict: CostPredictor;
}

/**
 * Fits the most accurate form that the samples suffice for. No cross-validation, no document: quick enough for every
 * round.
 *
 * @throws ModelError when there is no sample
 */
export function bestFit(samples: readonly FitSample[], { seed, device }: FitOptions): BestFit {
  const shaped = timeSamples(samples);
  const shapes = shapesOf(shaped).length;
  const name = FORMS.find((each) => shapes >= (formNamed(each).leastShapes ?? 1));
  const form = formNamed(name ?? 'alpha-latency');
  const predict = form.compile(form.fit(shaped, { seed, loss: 'relative', device }), device);
  return { form: form.name, predict };
}
