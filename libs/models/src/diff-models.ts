import type { Model } from '@alphaflops/contracts';
import { evaluate } from './predict.js';
import type { FitSample } from './sample.js';

/** A value of both models; null where one has none. */
export interface Change<T> {
  readonly what: string;
  readonly before: T | null;
  readonly after: T | null;
}

/** What changed from one model to another, only what differs. */
export interface ModelDiff {
  /** Chosen form, data digest, samples, shapes, protocol, design, loss, seed, code version. */
  readonly origin: readonly Change<string>[];
  /** `form group parameter`; values the data do not tell are null. */
  readonly parameters: readonly (Change<number> & { readonly unit: string })[];
  /** `form metric`, cross-validated. */
  readonly errors: readonly Change<number>[];
  /** Half-width of the interval, as a logarithm. */
  readonly interval: readonly Change<number>[];
  /** `axis min`, `axis max`. */
  readonly domain: readonly Change<number>[];
  /** Notes that one model has and the other has not. */
  readonly notes: { readonly added: readonly string[]; readonly removed: readonly string[] };
}

export function diffModels(before: Model, after: Model): ModelDiff {
  const units = new Map(
    [...parametersOf(before), ...parametersOf(after)].map(([what, { unit }]): [string, string] => [
      what,
      unit,
    ]),
  );
  const told = (model: Model) => parametersOf(model).map(([what, { value }]) => [what, value] as const);
  return {
    origin: changes(originOf(before), originOf(after)),
    parameters: changes(told(before), told(after)).map((change) => ({
      ...change,
      unit: units.get(change.what) ?? '',
    })),
    errors: changes(errorsOf(before), errorsOf(after)),
    interval: changes(intervalOf(before), intervalOf(after)),
    domain: changes(domainOf(before), domainOf(after)),
    notes: {
      added: after.notes.filter((note) => !before.notes.includes(note)),
      removed: before.notes.filter((note) => !after.notes.includes(note)),
    },
  };
}

type Entry<T> = readonly [what: string, value: T | null];

function changes<T>(before: readonly Entry<T>[], after: readonly Entry<T>[]): Change<T>[] {
  const [was, is] = [new Map(before), new Map(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((what) => ({ what, before: was.get(what) ?? null, after: is.get(what) ?? null }))
    .filter((change) => change.before !== change.after);
}

const originOf = (model: Model): Entry<string>[] => [
  ['chosen form', model.chosenForm],
  ['data digest', model.data.digest],
  ['samples', String(model.data.samples)],
  ['shapes', String(model.data.shapes)],
  ['protocol', model.protocol && `${model.protocol.name} v${model.protocol.version}, ${model.protocol.mode}`],
  ['design', model.design],
  ['device class', model.deviceClassId],
  ['loss', model.loss],
  ['seed', String(model.seed)],
  ['code version', model.codeVersion],
];

const parametersOf = ({ forms }: Model) =>
  forms.flatMap(({ form, groups }) =>
    groups.flatMap(({ group, parameters }) =>
      parameters.map(({ name, value, unit, state }) => {
        const known = state === 'not-identifiable' ? null : value;
        return [`${form} ${group} ${name}`, { value: known, unit }] as const;
      }),
    ),
  );

const errorsOf = ({ forms }: Model): Entry<number>[] =>
  forms.flatMap(({ form, heldOut }) =>
    (['medianApe', 'mape', 'within10', 'within20', 'coverage'] as const).map((metric): Entry<number> => [
      `${form} ${metric}`,
      heldOut?.[metric] ?? null,
    ]),
  );

const intervalOf = ({ interval }: Model): Entry<number>[] => [
  ['coverage', interval.coverage],
  ['half-width', interval.logHalfWidth],
];

const domainOf = ({ domain }: Model): Entry<number>[] =>
  Object.entries(domain).flatMap(([axis, { min, max }]): Entry<number>[] => [
    [`${axis} min`, min],
    [`${axis} max`, max],
  ]);

/** Whether a new model takes the place of the served one, and why. */
export interface Judgement {
  readonly serve: boolean;
  readonly reason: string;
}

/** A candidate may be this much worse, relatively, before that is more than the noise of a held-out set. */
const TOLERANCE = 0.02;
/** Samples below which two models cannot be told apart. */
const FEWEST = 20;

/**
 * Guards against a worse model: both are judged by the median error on the same samples, which neither was fitted to.
 * Without a served model, or with too few samples to tell, the candidate is served.
 *
 * @throws ModelError `bad-sample` for samples that cannot be judged.
 */
export function judgeCandidate(
  candidate: Model,
  served: Model | null,
  heldOut: readonly FitSample[],
): Judgement {
  if (served === null) return { serve: true, reason: 'no model was served before' };
  if (heldOut.length < FEWEST) {
    return {
      serve: true,
      reason: `${heldOut.length} held-out samples are too few to compare (${FEWEST} needed)`,
    };
  }
  const errorOf = (model: Model): number => evaluate(model, heldOut).medianApe;
  const [now, then] = [errorOf(candidate), errorOf(served)];
  const compared = `median error ${percent(now)} against ${percent(then)} of the served model on ${heldOut.length} held-out samples`;
  return now <= then * (1 + TOLERANCE)
    ? { serve: true, reason: compared }
    : { serve: false, reason: `worse: ${compared}` };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
