import type { EnergyModel, Model, ModelDiff } from '@alphaflops/contracts';

/**
 * The differences between two models.
 *
 * @returns entries by name, with null on the side that does not have the entry
 */
export function diffModels(before: Model, after: Model): ModelDiff {
  const units = new Map(
    [...parametersOf(before), ...parametersOf(after)].map(([what, { unit }]): [string, string] => [
      what,
      unit,
    ]),
  );
  const valuesOf = (model: Model) => parametersOf(model).map(([what, { value }]) => [what, value] as const);
  return {
    origin: changes(originOf(before), originOf(after)),
    parameters: changes(valuesOf(before), valuesOf(after)).map((change) => ({
      ...change,
      unit: units.get(change.what) ?? '',
    })),
    errors: changes(errorsOf(before), errorsOf(after)),
    interval: changes(intervalOf(before), intervalOf(after)),
    domain: changes(domainOf(before), domainOf(after)),
    notes: {
      added: notesOf(after).filter((note) => !notesOf(before).includes(note)),
      removed: notesOf(before).filter((note) => !notesOf(after).includes(note)),
    },
  };
}

type Entry<T> = readonly [what: string, value: T | null];

interface Change<T> {
  what: string;
  before: T | null;
  after: T | null;
}

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
  ['energy form', model.energy?.chosenForm ?? null],
  ['samples with energy', model.energy ? String(model.energy.data.samples) : null],
];

type Cost = Omit<EnergyModel, 'data'>;

/** Entries for time, then the same entries for energy under their own names. */
const ofBoth =
  <T>(entriesOf: (cost: Cost) => (readonly [what: string, value: T])[]) =>
  (model: Model): (readonly [what: string, value: T])[] => [
    ...entriesOf(model),
    ...(model.energy
      ? entriesOf(model.energy).map(([what, value]) => [`energy ${what}`, value] as const)
      : []),
  ];

const parametersOf = ofBoth(({ forms }) =>
  forms.flatMap(({ form, groups }) =>
    groups.flatMap(({ group, parameters }) =>
      parameters.map(({ name, value, unit, state }) => {
        const known = state === 'not-identifiable' ? null : value;
        return [`${form} ${group} ${name}`, { value: known, unit }] as const;
      }),
    ),
  ),
);

const errorsOf = ofBoth(({ forms }) =>
  forms.flatMap(({ form, heldOut }) =>
    (['medianApe', 'mape', 'within10', 'within20', 'coverage'] as const).map((metric): Entry<number> => [
      `${form} ${metric}`,
      heldOut?.[metric] ?? null,
    ]),
  ),
);

const intervalOf = ofBoth(({ interval }): Entry<number>[] => [
  ['coverage', interval.coverage],
  ['half-width', interval.logHalfWidth],
]);

const domainOf = ofBoth(({ domain }) =>
  Object.entries(domain).flatMap(([axis, { min, max }]): Entry<number>[] => [
    [`${axis} min`, min],
    [`${axis} max`, max],
  ]),
);

const notesOf = ({ notes, energy }: Model): string[] => [
  ...notes,
  ...(energy?.notes ?? []).map((note) => `energy: ${note}`),
];
