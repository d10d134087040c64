import { formNamed, timeSamples, shapesOf, type FitSample, type CostPredictor } from '@alphaflops/models';

/** From the most accurate form to one that works with any number of shapes. */
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
 * Fits the most accurate form for which there are enough samples. It does no cross-validation and writes no document, so that
 * it is fast enough for every round.
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
