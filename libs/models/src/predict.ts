import type { AssumedKernel, FittedForm, Metrics, Model, Prediction } from '@alphaflops/contracts';
import { macs, specKey, type ConvSpec } from '@alphaflops/conv';
import { exp } from '@alphaflops/elementary';
import { alphaForm } from './alpha-forms.js';
import { ModelError } from './error.js';
import type { FittedCost } from './fit-cost.js';
import { formNamed } from './forms.js';
import { compileDomain } from './domain.js';
import { kernelNames, mixedCost } from './kernels/assumed-kernels.js';
import { compileKernelClassifier, type LikelyKernel } from './kernels/kernel-classifier.js';
import { logHalfWidth } from './interval.js';
import { judge } from './metrics.js';
import { energySamples, samplesOfOneMeter, timeSamples, type FitSample } from './sample.js';

/**
 * `kernel`: the kernel that runs, if known, in the spelling of cudnn-frontend; `source`: where it comes from, `given`
 * by default.
 */
export type Predictor = (spec: ConvSpec, kernel?: string | null, source?: 'given' | 'cudnn') => Prediction;

/**
 * Prepares a model for many predictions (some microseconds each). `form` is a form of the document, by default the
 * chosen one.
 *
 * α means the same for every form: predicted time over c·M, with c the linear rate of the model's own `alpha` form for
 * the kernel group and M the millions of multiply-adds. So the paper's "c times corrected FLOPs" is the predicted time for
 * every form: predictedMs = c·(alphaFlops / 2)/10⁶. The interval is that of the chosen form; other forms have none.
 *
 * @throws ModelError `unknown-form` or `bad-document`; the predictor throws `bad-spec` for a spec without output.
 */
export function compileModel(model: Model, form: string = model.chosenForm): Predictor {
  const chosen = fitted(model, model.chosenForm);
  const time = compileCost(model, form, model.device, undefined, model.kernels?.logHalfWidth);
  const energy = model.energy && form === model.chosenForm ? compileCost(model.energy, model.energy.chosenForm, model.device, chosen) : null; // prettier-ignore
  // c·M is the prediction of the alpha form with γ = 0.
  const linearMs = alphaForm.compile(withoutCorrection(fitted(model, 'alpha')), model.device);
  const kernelOf = compileKernels(model, form);
  return (spec, kernel, source = 'given') => {
    const work = macs(spec);
    if (!(work > 0)) throw new ModelError('bad-spec', `${specKey(spec)} has no output to compute`);
    const kernels = kernelOf(spec, kernel ?? null, source);
    const { value: predictedMs, lower: lowerMs, upper: upperMs, inDomain } = time(spec, work, kernels);
    const millijoules = energy && energy(spec, work, kernels);
    const alpha = predictedMs / linearMs(spec).value;
    const flops = 2 * work;
    return {
      macs: work,
      flops,
      alpha,
      alphaFlops: alpha * flops,
      predictedMs,
      lowerMs,
      upperMs,
      inDomain,
      kernel: kernels && kernels.assumed,
      energyMillijoules: millijoules && millijoules.value,
      lowerEnergyMillijoules: millijoules && millijoules.lower,
      upperEnergyMillijoules: millijoules && millijoules.upper,
      energyInDomain: millijoules && millijoules.inDomain,
    };
  };
}

interface BoundedCost {
  readonly value: number;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly inDomain: boolean;
}

/** Time or energy by one form of a document. Only the chosen form has an interval. */
function compileCost(
  cost: FittedCost,
  form: string,
  device: Model['device'],
  time?: FittedForm,
  logHalfWidthAssumed: number | null = cost.interval.logHalfWidth,
): (spec: ConvSpec, macs: number, kernels: ChosenKernels | null) => BoundedCost {
  const predict = formNamed(form).compile(fitted(cost, form), device, time);
  const outsideOf = compileDomain(cost);
  const hasInterval = form === cost.chosenForm;
  const ofAssumed = intervalOf(cost.interval, logHalfWidthAssumed);
  const nameOf = kernelNames();
  return (spec, work, kernels) => {
    const { value, spread } = kernels ? mixedCost(predict, spec, kernels.likely, nameOf) : predict(spec);
    const outside = outsideOf(spec, work);
    const typical = hasInterval
      ? logHalfWidth(kernels?.assumed.source === 'classifier' ? ofAssumed : cost.interval, outside)
      : null;
    const factor = typical === null ? null : exp(typical * spread);
    return {
      value,
      lower: factor && value / factor,
      upper: factor && value * factor,
      inDomain: outside === null,
    };
  };
}

/** The kernels that a prediction takes into account, and the most likely of them. */
interface ChosenKernels {
  readonly likely: readonly LikelyKernel[];
  readonly assumed: AssumedKernel;
}

/** Null if the form does not use kernels. */
function compileKernels(
  { kernels }: Model,
  form: string,
): (spec: ConvSpec, known: string | null, source: 'given' | 'cudnn') => ChosenKernels | null {
  if (!formNamed(form).needsKernels) return () => null;
  const likelyOf = kernels ? compileKernelClassifier(kernels.classifier) : null;
  return (spec, known, source) => {
    if (known !== null) {
      const assumed: AssumedKernel = { name: known, probability: 1, source };
      return { likely: [{ kernel: known, probability: 1 }], assumed };
    }
    const likely = likelyOf?.(spec) ?? [];
    const first = likely[0];
    if (!first) return null;
    return { likely, assumed: { name: first.kernel, probability: first.probability, source: 'classifier' } };
  };
}

/**
 * The interval of predictions under assumed kernels. Outside the domain it grows by the same factor as the other
 * interval.
 */
function intervalOf(interval: Model['interval'], half: number | null): Model['interval'] {
  const { logHalfWidth: known, logHalfWidthOutside: outside } = interval;
  if (half === null || known === null || outside === null) return interval;
  return { ...interval, logHalfWidth: half, logHalfWidthOutside: (outside * half) / known };
}

/**
 * One prediction, in milliseconds and millijoules. For more predictions, compile the model.
 *
 * @param kernel the kernel that runs, if known, in the spelling of cudnn-frontend
 * @throws ModelError as {@link compileModel}, and `bad-spec` for a spec without output
 */
export function predict(model: Model, spec: ConvSpec, kernel?: string | null): Prediction {
  return compileModel(model)(spec, kernel);
}

/**
 * Errors of a model on samples. `form` as in {@link compileModel}.
 *
 * @throws ModelError as {@link compileModel}, and `no-samples` or `bad-sample`.
 */
export function evaluate(model: Model, samples: readonly FitSample[], form?: string): Metrics {
  const predictor = compileModel(model, form);
  return judge(
    timeSamples(samples).map(({ spec, kernel, value: measured }) => {
      const { predictedMs: predicted, lowerMs: lower, upperMs: upper } = predictor(spec, kernel);
      return { measured, predicted, lower, upper };
    }),
  );
}

/**
 * Errors of the energy model, on the samples of the meter that has the most samples.
 *
 * @returns errors as shares; null without such samples, or if the model has no energy
 * @throws ModelError as {@link evaluate}
 */
export function evaluateEnergy(model: Model, samples: readonly FitSample[]): Metrics | null {
  const measured = energySamples(samplesOfOneMeter(samples).samples);
  if (!model.energy || measured.length === 0) return null;
  const predictor = compileModel(model);
  return judge(
    measured.map(({ spec, kernel, value }) => {
      const { energyMillijoules, lowerEnergyMillijoules, upperEnergyMillijoules } = predictor(spec, kernel);
      return {
        measured: value,
        predicted: energyMillijoules ?? NaN,
        lower: lowerEnergyMillijoules,
        upper: upperEnergyMillijoules,
      };
    }),
  );
}

function fitted(model: Pick<Model, 'forms'>, form: string): FittedForm {
  const found = model.forms.find((candidate) => candidate.form === form);
  if (found) return found;
  const known = model.forms.map((candidate) => candidate.form).join(', ');
  throw new ModelError('unknown-form', `the model has no form "${form}", only ${known}`);
}

function withoutCorrection(alpha: FittedForm): FittedForm {
  const groups = alpha.groups.map((group) => ({
    ...group,
    parameters: group.parameters.map((p) => (p.name === 'gamma' ? { ...p, value: 0 } : p)),
  }));
  return { ...alpha, groups };
}
