import type { FittedForm, Parameter } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { leastSquares, nonNegativeLeastSquares } from '@alphaflops/least-squares';
import { z } from 'zod';
import { KNOWN_PROCESSORS } from '../axes/frame.js';
import { memberFolds } from '../axes/shared-fits.js';
import { shapeOf, type Shape } from '../axes/shape.js';
import { ModelError } from '../error.js';
import { ROBUST_RELATIVE_ERROR, type Form, type FormFit, type ParameterDefinition } from '../form.js';
import type { CostSample } from '../sample.js';

/** Edge of a tile of a matrix unit, in elements. A partly filled tile costs as much as a full one. */
const TILE = 32;
/**
 * Edge of the block that one processor computes at a time. With fewer blocks than processors, some processors are idle.
 */
const BLOCK = 64;

/** Definition of a parameter. Its unit does not depend on the fitted cost. */
type PowerParameter = ParameterDefinition & { readonly unit: string };
type Term = PowerParameter & {
  /** Factor of the parameter; the products add up to mJ. */
  readonly column: (shape: Shape, timeMs: number, processors: number) => number;
};

const positive = { lower: 0, upper: Infinity };
/** W times ms are mJ; pJ times 10⁹ are mJ. */
const TERMS: readonly Term[] = [
  {
    ...{ name: 'P_static', unit: 'W', ...positive },
    description: 'power of the device while a convolution runs, independent of its size',
    column: (_, timeMs) => timeMs,
  },
  {
    ...{ name: 'P_busy', unit: 'W', ...positive },
    description: 'additional power when all multiprocessors are busy; in proportion when only some are',
    column: (shape, timeMs, processors) => timeMs * busyShare(shape, processors),
  },
  {
    ...{ name: 'e_mac', unit: 'pJ per multiply-add', ...positive },
    description: 'energy of one multiply-add of four-byte elements, whole tiles counted',
    column: (shape) => (1e-9 * tiledMacs(shape) * shape.elementBytes) / 4,
  },
  {
    ...{ name: 'e_in', unit: 'pJ per byte', ...positive },
    description: 'energy of moving one byte of the input',
    column: ({ inputMb }) => 1e-3 * inputMb,
  },
  {
    ...{ name: 'e_weights', unit: 'pJ per byte', ...positive },
    description: 'energy of moving one byte of the weights',
    column: ({ weightsMb }) => 1e-3 * weightsMb,
  },
  {
    ...{ name: 'e_out', unit: 'pJ per byte', ...positive },
    description: 'energy of moving one byte of the output',
    column: ({ outputMb }) => 1e-3 * outputMb,
  },
];
/** The device uses no more power than in its samples. This is its power limit if samples reach it. */
const LIMIT: PowerParameter = {
  ...{ name: 'P_max', unit: 'W', ...positive },
  description: 'largest mean power of a sample; no prediction exceeds it',
};

const ExtraSchema = z.object({
  schema: z.literal('activity-power/1'),
  /** Number of multiprocessors, from the device or estimated from the samples. */
  processors: z.number().int().min(1),
});

interface Activity {
  readonly processors: number;
  /** In the order of {@link TERMS}. */
  readonly values: Float64Array;
  readonly limitW: number;
}

/**
 * Energy from the time model of the same device: power while it runs, power of the busy multiprocessors, and the energy
 * of each multiply-add and each byte moved, all non-negative. Activity-based power models of GPUs fit the same terms to
 * hardware counters (Kandiah et al. 2021, AccelWattch, MICRO-54). Here the activity is computed from the shape. A
 * relative error of the time causes a smaller relative error of the energy, because the work does not depend on the
 * time.
 *
 * @param formNamed finds the form of the time model
 */
export function activityPowerForm(formNamed: (name: string) => Form): Form {
  const predictor = (activity: Activity, timeOf: (spec: ConvSpec) => number) => (spec: ConvSpec) => {
    return { value: energyOf(activity, shapeOf(spec), timeOf(spec)), spread: 1 };
  };
  return {
    name: 'activity-power',
    description:
      'energy from the predicted time: static power, busy multiprocessors, multiply-adds and bytes moved',
    parameters: [...TERMS.map(definitionOf), LIMIT],
    leastShapes: 2 * TERMS.length,
    losses: ['relative'],
    needsSource: true,
    costs: 'energy',

    fit(samples, context) {
      const { source, device, seed } = context;
      if (!source?.heldOutTimeMs) {
        throw new ModelError('bad-option', 'the form activity-power needs the time model of the same device');
      }
      const { fitted, heldOutTimeMs, measuredTimeMs } = source;
      const predict = formNamed(fitted.form).compile(fitted, source.device);
      // A time model that has seen these shapes would make the errors look too small.
      const foreseenMs = samples.map(({ key, spec }) => heldOutTimeMs.get(key) ?? predict(spec).value);
      // The coefficients come from measured times: errors of predicted times would pull the powers towards 0.
      const all = new ActivityFit(
        samples,
        samples.map(({ key }, i) => measuredTimeMs?.get(key) ?? foreseenMs[i] ?? NaN),
      );
      const processors = device['smCount'] ?? all.likelyProcessors();
      const whole = all.fit(processors, Int32Array.from(samples.keys()));
      const outOfFold = new Float64Array(samples.length);
      for (const { training, heldOut } of memberFolds(samples, seed)) {
        const part = all.fit(processors, training);
        for (const i of heldOut)
          outOfFold[i] = energyOf(part.activity, all.shapes[i] as Shape, foreseenMs[i] ?? NaN);
      }
      const fit: FormFit = {
        groups: [{ group: 'all', n: samples.length, ...whole.described }],
        extra: { schema: 'activity-power/1', processors } satisfies z.infer<typeof ExtraSchema>,
        notes: [`activity-power: times by the form ${fitted.form} of ${source.of}`],
        outOfFold: { values: outOfFold, spread: new Float64Array(samples.length).fill(1) },
      };
      return fit;
    },

    compile(fit, device, time) {
      if (!time)
        throw new ModelError(
          'bad-document',
          'the form activity-power lacks the time model that it starts from',
        );
      const predictTime = formNamed(time.form).compile(time, device);
      return predictor(activityIn(fit), (spec) => predictTime(spec).value);
    },
  };
}

function energyOf({ values, processors, limitW }: Activity, shape: Shape, timeMs: number): number {
  let energyMillijoules = 0;
  TERMS.forEach(
    ({ column }, k) => (energyMillijoules += (values[k] ?? 0) * column(shape, timeMs, processors)),
  );
  return Math.min(energyMillijoules, limitW * timeMs);
}

/** Fits to some of the samples. */
class ActivityFit {
  readonly shapes: readonly Shape[];
  private readonly energiesMillijoules: Float64Array;

  constructor(
    samples: readonly CostSample[],
    private readonly timesMs: readonly number[],
  ) {
    this.shapes = samples.map(({ spec }) => shapeOf(spec));
    this.energiesMillijoules = Float64Array.from(samples, ({ value }) => value);
  }

  /** The number of multiprocessors that explains the samples best, for a device that does not report it. */
  likelyProcessors(): number {
    const all = Int32Array.from(this.shapes.keys());
    const ranked = KNOWN_PROCESSORS.map((processors) => ({
      processors,
      cost: this.fit(processors, all).cost,
    }));
    return ranked.reduce((a, b) => (b.cost < a.cost ? b : a)).processors;
  }

  fit(processors: number, members: Int32Array) {
    const rows = members.length;
    const relative = this.relativeColumns(processors, members);
    const start = nonNegativeLeastSquares(relative, new Float64Array(rows).fill(1)).coefficients;
    const {
      parameters: values,
      standardErrors,
      states,
      correlation,
      cost,
      reason,
    } = leastSquares({
      residualCount: rows,
      start,
      lower: TERMS.map(({ lower }) => lower),
      loss: 'soft-l1',
      lossScale: ROBUST_RELATIVE_ERROR,
      residuals: (p, out) => {
        for (let row = 0; row < rows; row++) {
          out[row] = -1;
          for (let k = 0; k < TERMS.length; k++) {
            out[row] = (out[row] ?? 0) + (p[k] ?? 0) * (relative[k * rows + row] ?? 0);
          }
        }
      },
      jacobian: (_, out) => {
        out.set(relative);
      },
    });
    const powersW = Array.from(members, (i) => (this.energiesMillijoules[i] ?? 0) / (this.timesMs[i] ?? NaN));
    const limitW = Math.max(...powersW);
    const parameters = TERMS.map(({ name, unit }, k): Parameter => {
      const base = { name, unit, value: values[k] ?? 0 };
      const standardError = standardErrors[k] ?? null;
      if (states[k] === 'estimated' && standardError !== null) {
        return { ...base, standardError, state: 'estimated' };
      }
      return {
        ...base,
        standardError: null,
        state: states[k] === 'on-bound' ? 'on-bound' : 'not-identifiable',
      };
    });
    parameters.push({
      name: LIMIT.name,
      unit: LIMIT.unit,
      value: limitW,
      standardError: null,
      state: 'estimated',
    });
    const known = (i: number, j: number): number | null =>
      parameters[i]?.state === 'estimated' && parameters[j]?.state === 'estimated'
        ? (correlation[i]?.[j] ?? null)
        : null;
    return {
      activity: { processors, values: Float64Array.from(values), limitW } satisfies Activity,
      cost,
      described: {
        parameters,
        correlation: parameters.map((_, i) => parameters.map((__, j) => known(i, j))),
        stopped: reason,
      },
    };
  }

  /** Each term divided by the measured energy, column-major. */
  private relativeColumns(processors: number, members: Int32Array): Float64Array {
    const rows = members.length;
    const columns = new Float64Array(rows * TERMS.length);
    TERMS.forEach(({ column }, k) => {
      members.forEach((i, row) => {
        const value = column(this.shapes[i] as Shape, this.timesMs[i] ?? NaN, processors);
        columns[k * rows + row] = value / (this.energiesMillijoules[i] ?? NaN);
      });
    });
    return columns;
  }
}

function activityIn({ groups, extra }: Pick<FittedForm, 'groups' | 'extra'>): Activity {
  const parsed = ExtraSchema.safeParse(extra);
  const parameters = groups[0]?.parameters ?? [];
  const valueOf = ({ name }: ParameterDefinition): number | undefined =>
    parameters.find((parameter) => parameter.name === name)?.value;
  const values = TERMS.map(valueOf);
  const limitW = valueOf(LIMIT);
  if (!parsed.success || limitW === undefined || values.includes(undefined)) {
    throw new ModelError('bad-document', 'the form activity-power is not readable: a parameter is missing');
  }
  return { processors: parsed.data.processors, values: Float64Array.from(values as number[]), limitW };
}

function definitionOf({ name, unit, lower, upper, description }: Term): ParameterDefinition {
  return { name, unit, lower, upper, description };
}

/** Share of the multiprocessors that have a block to compute. */
function busyShare({ points, groupCout, spec }: Shape, processors: number): number {
  return Math.min(1, (spec.groups * Math.ceil(points / BLOCK) * Math.ceil(groupCout / BLOCK)) / processors);
}

/** Multiply-adds with tiles filled up; depthwise convolutions are not computed in tiles. */
function tiledMacs({ points, kernel, groupCin, groupCout, spec, macs }: Shape): number {
  if (groupCin === 1 && spec.groups > 1) return macs;
  const whole = (size: number): number => TILE * Math.ceil(size / TILE);
  return spec.groups * whole(points) * whole(groupCout) * whole(kernel * groupCin);
}
