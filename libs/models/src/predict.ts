import type { FittedForm, Metrics, Model, Prediction } from '@alphaflops/contracts';
import { macs, specKey, type ConvSpec } from '@alphaflops/conv';
import { alphaForm } from './alpha-forms.js';
import { ModelError } from './error.js';
import { formNamed } from './forms.js';
import { compileDomain } from './domain.js';
import { logHalfWidth } from './interval.js';
import { judge } from './metrics.js';
import { shapeSamples, type FitSample } from './sample.js';

export type Predictor = (spec: ConvSpec) => Prediction;

/**
 * Prepares a model for many predictions (some microseconds each). `form` is one of the document's; the chosen one by
 * default.
 *
 * α means the same for every form: predicted time over c·M, with c the linear rate of the model's own `alpha` form for
 * the kernel group and M the millions of multiply-adds. So the paper's "c times corrected FLOPs" is the predicted time for
 * every form: predictedMs = c·(alphaFlops / 2)/10⁶. The interval is that of the chosen form; other forms have none.
 *
 * @throws ModelError `unknown-form` or `bad-document`; the predictor throws `bad-spec` for a spec without output.
 */
export function compileModel(model: Model, form: string = model.chosenForm): Predictor {
  const time = formNamed(form).compile(fitted(model, form), model.device);
  // c·M is what the alpha form predicts with γ = 0
  const linearMs = alphaForm.compile(withoutCorrection(fitted(model, 'alpha')), model.device);
  const outsideOf = compileDomain(model);
  const hasInterval = form === model.chosenForm;
  return (spec) => {
    const work = macs(spec);
    if (!(work > 0)) throw new ModelError('bad-spec', `${specKey(spec)} has no output to compute`);
    const { timeMs: predictedMs, spread } = time(spec);
    const outside = outsideOf(spec, work);
    const typical = hasInterval ? logHalfWidth(model.interval, outside) : null;
    const width = typical === null ? null : typical * spread;
    const alpha = predictedMs / linearMs(spec).timeMs;
    const flops = 2 * work;
    return {
      macs: work,
      flops,
      alpha,
      alphaFlops: alpha * flops,
      predictedMs,
      lowerMs: width === null ? null : predictedMs / Math.exp(width),
      upperMs: width === null ? null : predictedMs * Math.exp(width),
      inDomain: outside === null,
    };
  };
}

/** One prediction; compile the model for more. */
export function predict(model: Model, spec: ConvSpec): Prediction {
  return compileModel(model)(spec);
}

/**
 * Errors of a model on samples. `form` as in {@link compileModel}.
 *
 * @throws ModelError as {@link compileModel}, and `no-samples` or `bad-sample`.
 */
export function evaluate(model: Model, samples: readonly FitSample[], form?: string): Metrics {
  const predictor = compileModel(model, form);
  return judge(shapeSamples(samples).map(({ spec, timeMs }) => ({ ...predictor(spec), measuredMs: timeMs })));
}

function fitted(model: Model, form: string): FittedForm {
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
