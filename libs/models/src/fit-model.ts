import { ModelSchema, type FittedForm, type Model } from '@alphaflops/contracts';
import { macs } from '@alphaflops/conv';
import { comparedShapes } from './compared-shapes.js';
import { crossValidate, FOLDS, MIN_SHAPES, type HeldOut } from './cross-validation.js';
import { ModelError } from './error.js';
import { foldsByShape } from './folds.js';
import type { FitContext, FitLoss, Form, FormFit } from './form.js';
import { FORMS, formNamed } from './forms.js';
import { domainOf } from './domain.js';
import { conformalInterval } from './interval.js';
import { shapeSamples, shapesOf, type FitSample, type ShapedSample } from './sample.js';

/** What the document says of where a model comes from; copied into it unchanged. */
export interface FitOrigin {
  /** SHA-256 of the canonical rows that are fitted. */
  readonly digest: string;
  /** Rows left out before the fit, by reason. */
  readonly excluded?: Readonly<Record<string, number>>;
  readonly deviceClassId?: string | null;
  readonly campaignId?: string | null;
  readonly protocol?: Model['protocol'];
  readonly design?: string | null;
  readonly codeVersion: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface FitOptions {
  /** A registered form, or `auto`: the one with the least cross-validated median error. */
  readonly form?: string;
  readonly seed?: number;
  /** Asked coverage of the interval, between 0 and 1. */
  readonly coverage?: number;
  readonly loss?: FitLoss;
  /** Constants of the device that forms may use, for example `smCount`. */
  readonly device?: Readonly<Record<string, number>>;
  /**
   * Another device's model, or its samples, from which a model is then fitted first: `auto` also tries to start from it,
   * which helps when this device has few samples.
   */
  readonly source?: Model | readonly FitSample[];
  readonly deadline?: FitContext['deadline'];
  readonly origin: FitOrigin;
}

export const FIT_DEFAULTS = { form: 'auto', seed: 1, coverage: 0.9, loss: 'relative' } as const;

/** Forms in every document, whatever else wins: the baseline, the paper’s α, and α with its launch cost t0. */
const ALWAYS_PUBLISHED = ['flops', 'alpha', 'alpha-latency'];
/** Published beside a chosen form that has no parameters to read. */
const READABLE = 'alpha-axes';

/** A sample further off than this factor is named in the notes. */
const OUTLIER_FACTOR = 10;

interface Candidate {
  readonly form: Form;
  readonly fit: FormFit;
  readonly heldOut: HeldOut | null;
}

/**
 * Fits a model to samples of one device class: the asked form or the best of all, always with `flops` and `alpha`
 * beside it, cross-validated by shape, with a conformal interval. Pure: same samples (in any order), options and seed
 * give the same bytes. What limits the model is said in `notes`. `id` and `version` are null until it is published.
 *
 * @throws ModelError `no-samples`, `bad-sample`, `unknown-form`, `bad-option`.
 */
export function fitModel(samples: readonly FitSample[], options: FitOptions): Model {
  const {
    form: asked,
    seed,
    coverage,
    loss,
    device = {},
    deadline,
    source: given,
    origin,
  } = { ...FIT_DEFAULTS, ...options };
  if (!(coverage > 0 && coverage < 1)) {
    throw new ModelError('bad-option', `the coverage must be between 0 and 1, not ${coverage}`);
  }
  const shaped = shapeSamples(samples);
  const shapes = shapesOf(shaped);
  const { forms, skipped } = candidateForms(asked, shapes.length, loss, given !== undefined);
  const folds = shapes.length >= MIN_SHAPES ? foldsByShape(shaped, seed, FOLDS) : null;
  const source =
    given && ('forms' in given ? given : fitModel(given, { seed, origin: sourceOrigin(origin) }));
  const context: FitContext = {
    seed,
    loss,
    device,
    ...(source && { source }),
    ...(deadline && { deadline }),
  };
  const candidates = forms.map((form): Candidate => {
    const fit = form.fit(shaped, context);
    return { form, fit, heldOut: folds && crossValidate(form, shaped, folds, fit, context, coverage) };
  });
  const chosen = asked === 'auto' ? best(candidates) : candidateNamed(candidates, asked);
  const readable = chosen.form.parameters.length > 0 ? [] : [READABLE];
  const published = candidates.filter(
    ({ form }) => form === chosen.form || [...ALWAYS_PUBLISHED, ...readable].includes(form.name),
  );
  const { pessimism = 1 } = chosen.form;
  const logErrors = chosen.heldOut?.logErrors ?? [];
  const interval = conformalInterval(
    logErrors.map((error) => error / pessimism),
    coverage,
  );
  return ModelSchema.parse({
    schema: 'alphaflops.model/1',
    id: null,
    version: null,
    deviceClassId: origin.deviceClassId ?? null,
    campaignId: origin.campaignId ?? null,
    status: 'published',
    statusReason: null,
    chosenForm: chosen.form.name,
    loss,
    forms: published.map(document),
    interval,
    ...domainOf(shaped),
    ...(chosen.heldOut && { heldOut: heldOutOf(shaped, chosen.heldOut) }),
    device,
    data: {
      digest: origin.digest,
      samples: shaped.length,
      shapes: shapes.length,
      excluded: origin.excluded ?? {},
    },
    protocol: origin.protocol ?? null,
    design: origin.design ?? null,
    seed,
    notes: [
      ...dataNotes(shaped, shapes.length),
      ...skipped,
      ...published.flatMap(({ fit }) => fit.notes),
      ...chosenNotes(chosen, shaped, device, interval),
    ],
    codeVersion: origin.codeVersion,
    createdAt: origin.createdAt,
  } satisfies Model);
}

/** The forms to fit. Those that the samples do not suffice for are skipped, or refused when asked for by name. */
function candidateForms(
  asked: string,
  shapes: number,
  loss: FitLoss,
  withSource: boolean,
): { readonly forms: readonly Form[]; readonly skipped: readonly string[] } {
  const named = asked === 'auto' ? null : formNamed(asked);
  const refusal = named && unfit(named, shapes, loss);
  if (refusal) throw new ModelError('bad-option', refusal);
  if (named?.needsSource && !withSource) {
    throw new ModelError('bad-option', `${named.name} needs the model or the samples of another device`);
  }
  const beside = named?.parameters.length === 0 ? [...ALWAYS_PUBLISHED, READABLE] : ALWAYS_PUBLISHED;
  const forms = FORMS.filter(
    (form) => (!named || form === named || beside.includes(form.name)) && (withSource || !form.needsSource),
  );
  const reasons = forms.map((form) => unfit(form, shapes, loss));
  return {
    forms: forms.filter((_, i) => reasons[i] === null),
    skipped: reasons.filter((reason) => reason !== null),
  };
}

/** Samples of another device come without a document: what is said of them is that they are not of this one. */
const sourceOrigin = ({ codeVersion, createdAt }: FitOrigin): FitOrigin => ({
  digest: 'not given',
  codeVersion,
  createdAt,
});

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

/** Least held-out median error; the first, simplest form where nothing could be held out. */
function best(candidates: readonly Candidate[]): Candidate {
  const error = ({ form, heldOut }: Candidate): number =>
    heldOut ? heldOut.metrics.medianApe / (form.pessimism ?? 1) : Infinity;
  return candidates.reduce((a, b) => (error(b) < error(a) ? b : a));
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

function heldOutOf(samples: readonly ShapedSample[], { timeMs }: HeldOut): NonNullable<Model['heldOut']> {
  const rows = samples.map(({ key, spec, timeMs: measured }, i) => {
    const predicted = timeMs[i] ?? NaN;
    return { key, macs: macs(spec), measured, predicted, error: Math.abs(Math.log(measured / predicted)) };
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
    shapes: comparedShapes(samples, timeMs),
  };
}

function dataNotes(samples: readonly ShapedSample[], shapes: number): string[] {
  const notes: string[] = [];
  const first = samples[0];
  if (shapes < MIN_SHAPES) {
    notes.push(
      `${shapes} shapes are too few to hold any out (${MIN_SHAPES} needed): no held-out errors, no choice between forms`,
    );
  }
  if (samples.length > 1 && samples.every(({ timeMs }) => timeMs === first?.timeMs)) {
    notes.push('all times are equal: nothing can be learnt of how time depends on the shape');
  }
  const kernels = new Set(samples.map(({ spec }) => `${spec.kernel_h}×${spec.kernel_w}`));
  if (kernels.size === 1) notes.push(`all samples have ${[...kernels].join('')} kernels`);
  return notes;
}

function chosenNotes(
  { form, fit }: Candidate,
  samples: readonly ShapedSample[],
  device: FitContext['device'],
  interval: Model['interval'],
): string[] {
  const notes: string[] = [];
  const predict = form.compile(fit, device);
  const far = samples.filter(
    ({ spec, timeMs }) => Math.abs(Math.log(timeMs / predict(spec).timeMs)) > Math.log(OUTLIER_FACTOR),
  ).length;
  if (far > 0) {
    notes.push(`${far} of ${samples.length} samples are off by more than a factor of ${OUTLIER_FACTOR}`);
  }
  for (const { group, stopped } of fit.groups) {
    if (stopped === 'max-iterations' || stopped === 'timed-out') {
      notes.push(`${form.name}, ${group} kernels: the search stopped early (${stopped}), best values kept`);
    }
  }
  if (interval.logHalfWidth === null) {
    notes.push(`too few samples for an interval of ${100 * interval.coverage} %: predictions have none`);
  }
  return notes;
}
