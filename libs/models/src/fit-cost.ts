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

/** Forms in every document, whatever else wins: the baseline, the paper’s α, and α with its launch cost t0. */
const ALWAYS_PUBLISHED = ['flops', 'alpha', 'alpha-latency'];
/** Published beside a chosen form that has no parameters to read. */
const READABLE = 'alpha-axes';
const READABLE_KERNELS = 'kernel-waves';

/** A sample further off than this factor is named in the notes. */
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

/** Told before each form is fitted which it is, and how many of how many forms are done. */
export type FitProgress = (done: number, total: number, form: string) => void;

/** What a document says of one cost, time or energy. */
export type FittedCost = Omit<EnergyModel, 'data'>;

export interface CostFit {
  readonly cost: FittedCost;
  readonly chosen: Form;
  /** Predictions by the chosen form, in the order of the samples, of shapes that were held out; null with too few. */
  readonly heldOut: HeldOut | null;
}

/**
 * Fits all forms that the samples suffice for, or the asked one and what is always published beside it, and chooses.
 *
 * @throws ModelError `unknown-form`, `bad-option`.
 */
export function fitCost(samples: readonly CostSample[], options: CostOptions): CostFit {
  const { form: asked, coverage, context, onProgress } = options;
  const shapes = shapesOf(samples);
  const { forms, skipped } = candidateForms(
    asked,
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
  const chosen = asked === 'auto' ? best(candidates) : candidateNamed(candidates, asked);
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

/** Whether samples of so many shapes suffice for a form. */
export function suffices(form: string, shapes: number, context: FitContext): boolean {
  return form === 'auto' || unfit(formNamed(form), shapes, context.loss) === null;
}

/** The forms to fit. Those that the samples do not suffice for are skipped, or refused when asked for by name. */
function candidateForms(
  asked: string,
  shapes: number,
  { loss, source }: FitContext,
  withKernels: boolean,
): { readonly forms: readonly Form[]; readonly skipped: readonly string[] } {
  const withSource = source !== undefined;
  const named = asked === 'auto' ? null : formNamed(asked);
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

/** Why a form cannot be fitted; null when it can. */
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

/** Share of its error by which a form has to be better than a simpler one: less is chance. */
const MIN_GAIN = 0.02;

/** Least held-out median error, the simpler form where it is as good; the first one where nothing could be held out. */
function best(candidates: readonly Candidate[]): Candidate {
  const error = ({ heldOut }: Candidate): number => heldOut?.metrics.medianApe ?? Infinity;
  const isBetter = (b: Candidate, a: Candidate): boolean => {
    // What joins its parts is better than they are, but not by the law that a plain formula already has.
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

/** A note for users who name another device's model, when it was of no use. */
function sourceNotes(candidates: readonly Candidate[], chosen: Candidate, { source }: FitContext): string[] {
  const started = candidates.find(({ form }) => form.needsSource);
  // nobody has asked for energy to start from time
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
