import type { EnergyModel, FittedForm } from '@alphaflops/contracts';
import { macs } from '@alphaflops/conv';
import { log } from '@alphaflops/elementary';
import { comparedShapes } from './compared-shapes.js';
import { crossValidate, FOLDS, MIN_SHAPES, type HeldOut } from './cross-validation.js';
import { domainOf } from './domain.js';
import { ModelError } from './error.js';
import { foldsByShape } from './folds.js';
import type { FitContext, FitLoss, Form, FormFit } from './form.js';
import { FORMS, formNamed } from './forms.js';
import { kernelNames } from './kernels/assumed-kernels.js';
import { conformalInterval } from './interval.js';
import { shapesOf, type CostSample } from './sample.js';

/**
 * Forms in every document, also if another form is chosen: the baseline, the paper’s α, and α with its launch cost t0.
 */
const ALWAYS_PUBLISHED = ['flops', 'alpha', 'alpha-latency'];
/** Also published if the chosen form has no readable parameters. */
const READABLE = 'alpha-axes';
const READABLE_KERNELS = 'kernel-waves';

/** The notes report samples with an error above this factor. */
const OUTLIER_FACTOR = 10;

interface Candidate {
  readonly form: Form;
  readonly fit: FormFit;
  readonly heldOut: HeldOut | null;
}

/** How to fit; `form` is a registered one or `auto`. */
export interface CostOptions {
  readonly form: string;
  readonly coverage: number;
  readonly context: FitContext;
  readonly onProgress?: FitProgress;
}

/** Called before the fit of each form, with its name, the number of finished forms and the number of all forms. */
export type FitProgress = (done: number, total: number, form: string) => void;

/** The part of a document about one cost, time or energy. */
export type FittedCost = Omit<EnergyModel, 'data'>;

export interface CostFit {
  readonly cost: FittedCost;
  readonly chosen: Form;
  /** Held-out predictions by the chosen form, in the order of the samples; null with too few shapes. */
  readonly heldOut: HeldOut | null;
}

/**
 * Fits all forms that have enough samples, or the requested form and the forms that are always published. Then it
 * chooses one.
 *
 * @throws ModelError `unknown-form`, `bad-option`.
 */
export function fitCost(samples: readonly CostSample[], options: CostOptions): CostFit {
  const { form: requested, coverage, context, onProgress } = options;
  const shapes = shapesOf(samples);
  const { forms, skipped } = candidateForms(
    requested,
    shapes.length,
    context,
    samples.every(({ kernel }) => typeof kernel === 'string'),
  );
  const folds = shapes.length >= MIN_SHAPES ? foldsByShape(samples, context.seed, FOLDS) : null;
  const candidates = forms.map((form, done): Candidate => {
    onProgress?.(done, forms.length, form.name);
    const fit = form.fit(samples, context);
    return { form, fit, heldOut: folds && crossValidate(form, samples, folds, fit, context, coverage) };
  });
  const chosen = requested === 'auto' ? best(candidates) : candidateNamed(candidates, requested);
  const readable = readableBeside(chosen.form);
  const published = candidates.filter(
    ({ form }) => form === chosen.form || [...ALWAYS_PUBLISHED, ...readable].includes(form.name),
  );
  const { pessimism = 1 } = chosen.form;
  const logErrors = chosen.heldOut?.logErrors ?? [];
  const interval = conformalInterval(
    logErrors.map((error) => error / pessimism),
    coverage,
  );
  const cost: FittedCost = {
    chosenForm: chosen.form.name,
    forms: published.map((candidate) => document(candidate)),
    interval,
    ...domainOf(samples),
    ...(chosen.heldOut && { heldOut: heldOutOf(samples, chosen.heldOut) }),
    notes: [
      ...dataNotes(samples, shapes.length),
      ...skipped,
      ...published.flatMap(({ fit }) => fit.notes),
      ...chosenNotes(chosen, samples, context, interval),
      ...sourceNotes(candidates, chosen, context),
    ],
  };
  return { cost, chosen: chosen.form, heldOut: chosen.heldOut };
}

/** Whether this number of shapes is enough for a form. */
export function suffices(form: string, shapes: number, context: FitContext): boolean {
  return form === 'auto' || unfit(formNamed(form), shapes, context.loss) === null;
}

/** The forms to fit. A form without enough samples is skipped, or refused if it was requested by name. */
function candidateForms(
  requested: string,
  shapes: number,
  { loss, source }: FitContext,
  withKernels: boolean,
): { readonly forms: readonly Form[]; readonly skipped: readonly string[] } {
  const withSource = source !== undefined;
  const named = requested === 'auto' ? null : formNamed(requested);
  const refusal = named && unfit(named, shapes, loss);
  if (refusal) throw new ModelError('bad-option', refusal);
  if (named?.costs !== undefined && !source?.heldOutTimeMs) {
    throw new ModelError('bad-option', `${named.name} is a form of ${named.costs}, not of time`);
  }
  if (named?.needsSource && !withSource) {
    throw new ModelError('bad-option', `${named.name} needs the model or the samples of another device`);
  }
  if (named?.needsKernels && !withKernels) {
    throw new ModelError('bad-option', `${named.name} needs samples whose kernels are known`);
  }
  const beside = [...ALWAYS_PUBLISHED, ...(named ? readableBeside(named) : [])];
  const forms = FORMS.filter(
    (form) =>
      (!named || form === named || beside.includes(form.name)) &&
      (withSource || !form.needsSource) &&
      (withKernels || !form.needsKernels) &&
      (form.costs === undefined || source?.heldOutTimeMs !== undefined),
  );
  const reasons = forms.map((form) => unfit(form, shapes, loss));
  return {
    forms: forms.filter((_, i) => reasons[i] === null),
    skipped: reasons.filter((reason) => reason !== null),
  };
}

function readableBeside({ parameters, needsKernels }: Form): string[] {
  if (parameters.length > 0) return [];
  return needsKernels ? [READABLE, READABLE_KERNELS] : [READABLE];
}

/** The reason why a form cannot be fitted; null if it can. */
function unfit({ name, leastShapes = 1, losses }: Form, shapes: number, loss: FitLoss): string | null {
  if (losses && !losses.includes(loss))
    return `${name} is not fitted by ${loss} loss, only by ${losses.join(' or ')}`;
  if (shapes >= leastShapes) return null;
  return `${shapes} shapes are too few for ${name}, which needs ${leastShapes}`;
}

function candidateNamed(candidates: readonly Candidate[], name: string): Candidate {
  const found = candidates.find((candidate) => candidate.form.name === name);
  if (!found) throw new ModelError('unknown-form', `the form ${name} was not fitted`);
  return found;
}

/** Share of its error by which a form must be better than a simpler one; a smaller gain may be random. */
const MIN_GAIN = 0.02;

/**
 * The form with the smallest held-out median error, or a simpler one that is equally good. Without held-out shapes, the
 * first form.
 */
function best(candidates: readonly Candidate[]): Candidate {
  const error = ({ heldOut }: Candidate): number => heldOut?.metrics.medianApe ?? Infinity;
  const isBetter = (b: Candidate, a: Candidate): boolean => {
    // A form that combines parts must be better than its parts, but needs no minimum gain over the formula that it
    // corrects.
    const { pessimism = 1 } = b.form;
    const gain = b.form.corrects === a.form.name ? 0 : MIN_GAIN;
    return error(b) / (a.fit.outOfFold ? pessimism : 1) < (1 - gain) * error(a);
  };
  return candidates.reduce((a, b) => (isBetter(b, a) ? b : a));
}

function document({ form, fit, heldOut }: Candidate): FittedForm {
  return {
    form: form.name,
    groups: fit.groups,
    heldOut: heldOut?.metrics ?? null,
    ...(fit.extra !== undefined && { extra: fit.extra }),
  };
}

/** Shapes shown as the worst, and points of a plot. */
const WORST = 20;
const PLOTTED = 400;

function heldOutOf(samples: readonly CostSample[], { values }: HeldOut): NonNullable<FittedCost['heldOut']> {
  const rows = samples.map(({ key, spec, value: measured }, i) => {
    const predicted = values[i] ?? NaN;
    return { key, macs: macs(spec), measured, predicted, error: Math.abs(log(measured / predicted)) };
  });
  const every = Math.ceil(rows.length / PLOTTED);
  return {
    worst: [...rows]
      .sort((a, b) => b.error - a.error)
      .slice(0, WORST)
      .map(({ key, measured, predicted }) => ({ shape: key, measured, predicted })),
    points: rows
      .filter((_, i) => i % every === 0)
      .map(({ macs: work, measured, predicted }) => [work, measured, predicted]),
    shapes: comparedShapes(samples, values),
  };
}

function dataNotes(samples: readonly CostSample[], shapes: number): string[] {
  const notes: string[] = [];
  const first = samples[0];
  if (shapes < MIN_SHAPES) {
    notes.push(
      `${shapes} shapes are too few to hold any out (${MIN_SHAPES} needed): no held-out errors, no choice between forms`,
    );
  }
  if (samples.length > 1 && samples.every(({ value }) => value === first?.value)) {
    const [all, one] = first?.unit === 'ms' ? ['times', 'time'] : ['energies', 'energy'];
    notes.push(`all ${all} are equal: nothing can be learnt of how ${one} depends on the shape`);
  }
  const kernels = new Set(samples.map(({ spec }) => `${spec.kernel_h}×${spec.kernel_w}`));
  if (kernels.size === 1) notes.push(`all samples have ${[...kernels].join('')} kernels`);
  return notes;
}

function chosenNotes(
  { form, fit }: Candidate,
  samples: readonly CostSample[],
  { device, source }: FitContext,
  interval: FittedCost['interval'],
): string[] {
  const notes: string[] = [];
  const predict = form.compile(fit, device, source?.fitted);
  const nameOf = kernelNames();
  const far = samples.filter(
    ({ spec, kernel, value }) =>
      Math.abs(log(value / predict(spec, nameOf(kernel ?? '')).value)) > log(OUTLIER_FACTOR),
  ).length;
  if (far > 0) {
    notes.push(`${far} of ${samples.length} samples are off by more than a factor of ${OUTLIER_FACTOR}`);
  }
  for (const { group, stopped } of fit.groups) {
    if (stopped === 'max-iterations') {
      notes.push(`${form.name}, ${group} kernels: the search stopped early (${stopped}), best values kept`);
    }
  }
  if (interval.logHalfWidth === null) {
    notes.push(`too few samples for an interval of ${100 * interval.coverage} %: predictions have none`);
  }
  return notes;
}

/** A note for users who give another device's model, if the model did not help. */
function sourceNotes(candidates: readonly Candidate[], chosen: Candidate, { source }: FitContext): string[] {
  const started = candidates.find(({ form }) => form.needsSource);
  // The user did not request that energy starts from time.
  if (!source || source.heldOutTimeMs || !started?.heldOut || !chosen.heldOut || started === chosen)
    return [];
  const [withIt, without] = [started, chosen].map(
    ({ heldOut }) => `${(100 * (heldOut?.metrics.medianApe ?? NaN)).toFixed(1)} %`,
  );
  return [
    `nothing is borrowed from ${source.of}: the held-out median error is ${withIt} with it (${started.form.name}), ` +
      `${without} without (${chosen.form.name})`,
  ];
}
