import type { FittedGroup } from '@alphaflops/contracts';
import { fitGroup } from './analytic-fit.js';
import type { AnalyticForm } from './analytic-formula.js';
import { ModelError } from './error.js';
import type { Form } from './form.js';
import { shapesOf, type CostSample } from './sample.js';

/** Name of the group of all kernels that have no fit of their own. */
export const ALL_KERNELS = 'all';

/** Number of distinct shapes per parameter that a kernel group needs for a fit of its own. */
const SHAPES_PER_PARAMETER = 2;

/**
 * Makes a {@link Form} from a formula. Grouping, search, uncertainty and compilation are the same for all formulas.
 *
 * @returns a form whose `compile` throws ModelError `bad-document` where the fit has no group or lacks a parameter
 */
export function analyticForm<X>(formula: AnalyticForm<X>): Form {
  const enough = SHAPES_PER_PARAMETER * formula.parameters.length;
  return {
    name: formula.name,
    description: formula.description,
    parameters: formula.parameters,

    fit(samples, context) {
      const notes: string[] = [];
      const groups = kernelGroups(formula, samples, enough, notes).map(([group, members]) => {
        const near = context.near?.groups.find((fitted) => fitted.group === group);
        const fitted = fitGroup(formula, members, enough, { ...context, near });
        notes.push(...fitted.notes.map((note) => `${formula.name}, ${group} kernels: ${note}`));
        return { group, n: members.length, ...fitted.result };
      });
      return { groups, notes };
    },

    compile({ groups }, device) {
      const byGroup = new Map(groups.map((group) => [group.group, parameterVector(formula, group)]));
      const largest = groups.reduce<FittedGroup | null>((a, b) => (a && a.n >= b.n ? a : b), null);
      const fallback = byGroup.get(ALL_KERNELS) ?? byGroup.get(largest?.group ?? '');
      if (!fallback) throw new ModelError('bad-document', `the form ${formula.name} has no fitted group`);
      return (spec) => ({
        value: formula.cost(byGroup.get(formula.groupOf(spec)) ?? fallback, formula.variables(spec, device)),
        spread: 1,
      });
    },
  };
}

/** Samples by kernel group. One group with all samples replaces the groups with too few shapes. */
function kernelGroups<X>(
  formula: AnalyticForm<X>,
  samples: readonly CostSample[],
  enough: number,
  notes: string[],
): (readonly [string, readonly CostSample[]])[] {
  const byGroup = new Map<string, CostSample[]>();
  for (const sample of samples) {
    const group = formula.groupOf(sample.spec);
    const members = byGroup.get(group);
    if (members) members.push(sample);
    else byGroup.set(group, [sample]);
  }
  const groups: (readonly [string, readonly CostSample[]])[] = [...byGroup].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  if (groups.length === 1) return groups;
  const large = groups.filter(([, members]) => shapesOf(members).length >= enough);
  if (large.length === groups.length) return groups;
  const small = groups.filter((group) => !large.includes(group));
  for (const [group, members] of small) {
    notes.push(
      `${formula.name}: ${shapesOf(members).length} shapes with ${group} kernels are too few for a fit of their own ` +
        `(${enough} needed); they are predicted by a fit to all kernels`,
    );
  }
  return [...large, [ALL_KERNELS, samples]];
}

function parameterVector<X>(formula: AnalyticForm<X>, group: FittedGroup): Float64Array {
  return Float64Array.from(formula.parameters, ({ name }) => {
    const parameter = group.parameters.find((p) => p.name === name);
    if (!parameter) {
      throw new ModelError(
        'bad-document',
        `the form ${formula.name} needs parameter ${name}, which its group ${group.group} lacks`,
      );
    }
    return parameter.value;
  });
}
