import type { FittedForm, FittedGroup, Parameter } from '@alphaflops/contracts';
import { cube, exp, log, square } from '@alphaflops/elementary';
import { inversePacked, softL1Weight } from '@alphaflops/least-squares';
import { z } from 'zod';
import { ModelError } from '../error.js';
import { ROBUST_RELATIVE_ERROR, unitText, type Form } from '../form.js';
import type { Frame } from './frame.js';
import { compileModelTree, fitModelTree, ShapeRow, type FamilyFit, type ModelTree } from './model-tree.js';
import { RegimesSchema } from './regimes.js';
import { sharedFits } from './shared-fits.js';
import { KERNEL_FAMILIES, shapeOf } from './shape.js';
import { boundsAround, isLogarithmic, P, tileWaveParameters, valuesOf } from './tile-wave-parameters.js';
import { tileWaveMs } from './tile-wave.js';

const ExtraSchema = z.object({
  schema: z.literal('alpha-axes/1'),
  processors: z.number().positive(),
  regimes: z.array(z.object({ family: z.enum(KERNEL_FAMILIES), nodes: RegimesSchema })),
});

/** Standard error of a logarithm above which the data do not determine the parameter: a factor of e. */
const MEANINGLESS = 1;

/**
 * The tile-and-wave formula with α on every axis: launch cost, tiles and waves over the processors, split accumulation,
 * bytes, alignment. Each kernel family has one set of parameters, and regimes between thresholds on simple properties of the
 * shape. The parameters of a regime are deviations from those of its family.
 */
export const alphaAxesForm: Form = {
  name: 'alpha-axes',
  description:
    't0 + P·softmin over tiles of waves·(a + b·steps) + m·bytes + z·channel pairs, per kernel family, with regimes between thresholds on plain shape axes',
  parameters: tileWaveParameters(Infinity),
  leastShapes: 2 * P,
  losses: ['relative'],

  fit(samples, context) {
    const { frame, members } = sharedFits(samples, context);
    const { tree, fits } = fitModelTree(frame, Int32Array.from(samples.keys()));
    const values = new Float64Array(samples.length);
    for (const { heldOut, logCost } of members) for (const i of heldOut) values[i] = exp(logCost[i] ?? NaN);
    return {
      groups: fits.map((fit) => familyGroup(frame, fit)),
      extra: {
        schema: 'alpha-axes/1',
        processors: frame.processors,
        regimes: tree.families.map(({ family, regimes }) => ({ family, nodes: regimes })),
      } satisfies z.infer<typeof ExtraSchema>,
      notes: frame.estimated
        ? [`alpha-axes: the number of processors was not given; ${frame.processors} fit the samples best`]
        : [],
      outOfFold: { values, spread: new Float64Array(samples.length).fill(1) },
    };
  },

  compile(fit) {
    const tree = modelTreeOf(fit);
    const predict = compileModelTree(tree);
    const at = new ShapeRow(tree.processors);
    return (spec) => {
      const shape = shapeOf(spec);
      at.fill(shape);
      return { value: predict(shape, at), spread: 1 };
    };
  },
};

/**
 * The model tree of a fitted `alpha-axes` form.
 *
 * @throws ModelError `bad-document`.
 */
export function modelTreeOf({ groups, extra }: Pick<FittedForm, 'groups' | 'extra'>): ModelTree {
  const parsed = ExtraSchema.safeParse(extra);
  if (!parsed.success) {
    throw new ModelError(
      'bad-document',
      `the form alpha-axes is not readable:\n${z.prettifyError(parsed.error)}`,
    );
  }
  const { processors, regimes } = parsed.data;
  const names = tileWaveParameters(processors).map(({ name }) => name);
  const families = regimes.map(({ family, nodes }) => {
    const group = groups.find((candidate) => candidate.group === family);
    const root = names.map((name, j) => {
      const value = group?.parameters.find((parameter) => parameter.name === name)?.value;
      if (value === undefined || (isLogarithmic(j) && !(value > 0))) {
        throw new ModelError(
          'bad-document',
          `the form alpha-axes lacks parameter ${name} of its group ${family}`,
        );
      }
      return isLogarithmic(j) ? log(value) : value;
    });
    return { family, root, regimes: nodes };
  });
  return { processors, families };
}

/** Parameters of a whole family with their uncertainty: the deviations of its regimes are from these. */
function familyGroup(frame: Frame, { family, members, rootFit }: FamilyFit): FittedGroup {
  const { parameters: vector, normal, reason } = rootFit;
  const { roots, correlation } = inversePacked(normal, P);
  const deviation = residualDeviation(frame, members, vector);
  const bounds = boundsAround(vector);
  const parameters = tileWaveParameters(frame.processors).map((definition, j): Parameter => {
    const { name } = definition;
    const unit = unitText(definition.unit, frame.unit);
    const at = vector[j] ?? 0;
    const value = isLogarithmic(j) ? exp(at) : at;
    const error = deviation === null ? null : deviation * (roots[j] ?? 0);
    const held = !isLogarithmic(j) && (at <= (bounds.lower[j] ?? 0) || at >= (bounds.upper[j] ?? 0));
    if (held) return { name, value, unit, standardError: null, state: 'on-bound' };
    if (error === null || error > MEANINGLESS) {
      return { name, value, unit, standardError: null, state: 'not-identifiable' };
    }
    return { name, value, unit, standardError: isLogarithmic(j) ? value * error : error, state: 'estimated' };
  });
  const isEstimated = (j: number): boolean => parameters[j]?.state === 'estimated';
  return {
    group: family,
    n: members.length,
    parameters,
    correlation: correlation.map((row, i) =>
      row.map((value, j) => (isEstimated(i) && isEstimated(j) ? value : null)),
    ),
    stopped: reason,
  };
}

/**
 * Standard deviation of a residual for the covariance σ²·N⁻¹ of an M-estimator (Huber 1981, §7.6). N is the weighted normal
 * matrix, and JᵀJ ≈ N divided by the mean weight. Null without degrees of freedom.
 */
function residualDeviation(
  { rows, stride, logCost }: Frame,
  members: Int32Array,
  vector: Float64Array,
): number | null {
  const n = members.length;
  if (n <= P) return null;
  const p = valuesOf(vector);
  let [influence, slope, weights] = [0, 0, 0];
  for (const i of members) {
    const residual = log(tileWaveMs(p, rows, i * stride)) - (logCost[i] ?? 0);
    const weight = softL1Weight(residual, ROBUST_RELATIVE_ERROR);
    influence += square(weight * residual);
    slope += cube(weight);
    weights += weight;
  }
  return Math.sqrt((influence / (n - P) / square(slope / n)) * (weights / n));
}
