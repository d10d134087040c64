import { FittedFormSchema } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { log, square } from '@alphaflops/elementary';
import { leastSquares } from '@alphaflops/least-squares';
import { z } from 'zod';
import { frameOf, type Frame } from '../axes/frame.js';
import { memberFolds } from '../axes/shared-fits.js';
import { shapeOf, type Shape } from '../axes/shape.js';
import { kernelNames } from '../kernels/assumed-kernels.js';
import { ModelError } from '../error.js';
import { ROBUST_RELATIVE_ERROR, type Form } from '../form.js';
import { boostMembers, BoostedMembersSchema, compileMembers } from './members.js';

const ExtraSchema = BoostedMembersSchema.extend({
  schema: z.literal('transfer/1'),
  /** The form of the other device, which this form corrects; absent: the time model of the same document. */
  source: z.object({ fitted: FittedFormSchema, device: z.record(z.string(), z.number()) }).optional(),
  /** Coefficients of the correction of each member, in the order of {@link CORRECTIONS}. */
  corrections: z.array(z.array(z.number())),
}).refine(
  ({ corrections, members }) => corrections.length === members.length,
  'one correction for each member',
);

/** The terms of the linear correction of log time. The first one is the level. */
const CORRECTIONS: readonly ((shape: Shape, sourceLogTime: number) => number)[] = [
  () => 1,
  (_, sourceLogTime) => sourceLogTime,
  ({ points }) => log(points),
  ({ groupCin, kernel }) => log(groupCin * kernel),
  ({ groupCout }) => log(groupCout),
  ({ kernel }) => (kernel === 1 ? 1 : 0),
];
/** Weight of the ridge towards "no correction", like that of a few samples. The level has no ridge. */
const RIDGE = 0.3;

/**
 * The model of another device, with a correction of its log time: a level and slopes along a few axes, and also trees if there
 * are enough samples. With few samples of a new device, this is more accurate than a fit of these samples alone. In the same
 * way, energy starts from the time model of its own device, for which there are usually more samples.
 *
 * @param formNamed finds the form of the source
 */
export function transferForm(formNamed: (name: string) => Form): Form {
  return {
    name: 'transfer',
    description: 'the model of another device, its log time corrected by a level, slopes and boosted trees',
    parameters: [],
    leastShapes: 10,
    losses: ['relative'],
    needsSource: true,

    fit(samples, context) {
      const { source } = context;
      if (!source) throw new ModelError('bad-option', 'the form transfer needs a source model');
      const { fitted, heldOutTimeMs } = source;
      const frame = frameOf(samples, context.device['smCount']);
      const predict = formNamed(fitted.form).compile(fitted, source.device);
      // With predictions of a time model that was fitted to the same shapes, the errors would be too small.
      const nameOf = kernelNames();
      const sourceLogTime = Float64Array.from(samples, ({ key, spec, kernel }) =>
        log(heldOutTimeMs?.get(key) ?? predict(spec, kernel ? nameOf(kernel) : undefined).value),
      );
      const columns = CORRECTIONS.map((term) =>
        Float64Array.from(frame.shapes, (shape, i) => term(shape, sourceLogTime[i] ?? NaN)),
      );
      const bases = memberFolds(samples, context.seed).map((fold) => {
        const coefficients = correction(frame, columns, sourceLogTime, fold.training);
        const logCost = sourceLogTime.map((value, i) =>
          coefficients.reduce((sum, c, k) => sum + c * (columns[k]?.[i] ?? 0), value),
        );
        return { ...fold, coefficients, logCost };
      });
      const { members, outOfFold } = boostMembers(frame, bases, context);
      const extra: z.infer<typeof ExtraSchema> = {
        schema: 'transfer/1',
        ...(!heldOutTimeMs && { source: { fitted, device: { ...source.device } } }),
        corrections: bases.map(({ coefficients }) => coefficients),
        ...members,
      };
      const borrowed = `transfer: the form ${fitted.form} is borrowed from ${source.of}`;
      const trees = members.members.some((grown) => grown.length > 0)
        ? 'a level, slopes and trees'
        : 'a level and slopes';
      return {
        groups: [],
        extra,
        notes: [`${borrowed}; the samples ${heldOutTimeMs ? 'with energy' : 'of this device'} give ${trees}`],
        outOfFold,
      };
    },

    compile({ extra }, device, time) {
      const parsed = ExtraSchema.safeParse(extra);
      if (!parsed.success) {
        const problem = z.prettifyError(parsed.error);
        throw new ModelError('bad-document', `the form transfer is not readable:\n${problem}`);
      }
      const { source = time && { fitted: time, device }, corrections, ...members } = parsed.data;
      if (!source)
        throw new ModelError('bad-document', 'the form transfer lacks the fit that it starts from');
      const predictSource = formNamed(source.fitted.form).compile(source.fitted, source.device);
      const predict = compileMembers(members);
      return (spec: ConvSpec, kernel) => {
        const shape = shapeOf(spec);
        const logCost = log(predictSource(spec, kernel).value);
        const terms = CORRECTIONS.map((term) => term(shape, logCost));
        return predict(shape, (m) =>
          terms.reduce((sum, term, k) => sum + term * (corrections[m]?.[k] ?? 0), logCost),
        );
      };
    },
  };
}

/** Robust ridge regression of the residuals of the source. The ridge of a slope is per unit of the spread of its term. */
function correction(
  frame: Frame,
  columns: readonly Float64Array[],
  sourceLogTime: Float64Array,
  training: Int32Array,
): number[] {
  const n = training.length;
  const centred = columns.map((column, k) => {
    const values = Float64Array.from(training, (i) => column[i] ?? 0);
    const mean = k === 0 ? 0 : values.reduce((a, b) => a + b, 0) / n;
    const spread = k === 0 ? 1 : Math.sqrt(values.reduce((sum, v) => sum + square(v - mean), 0) / n);
    // a term that does not vary has no effect: its slope stays 0
    return { mean, spread, values: values.map((v) => (spread > 0 ? (v - mean) / spread : 0)) };
  });
  const target = Float64Array.from(training, (i) => (frame.logCost[i] ?? 0) - (sourceLogTime[i] ?? 0));
  const start = centred.map((_, k) => (k === 0 ? (Float64Array.from(target).sort()[n >> 1] ?? 0) : 0));
  const { parameters } = leastSquares({
    residualCount: n + centred.length,
    start,
    loss: 'soft-l1',
    lossScale: ROBUST_RELATIVE_ERROR,
    residuals: (p, out) => {
      for (let i = 0; i < n; i++) {
        out[i] = centred.reduce(
          (sum, { values }, k) => sum + (p[k] ?? 0) * (values[i] ?? 0),
          -(target[i] ?? 0),
        );
      }
      centred.forEach((_, k) => (out[n + k] = k === 0 ? 0 : RIDGE * (p[k] ?? 0)));
    },
    jacobian: (_, out) => {
      out.fill(0);
      centred.forEach(({ values }, k) => {
        out.set(values, k * (n + centred.length));
        out[k * (n + centred.length) + n + k] = k === 0 ? 0 : RIDGE;
      });
    },
  });
  const slopes = centred.map(({ spread }, k) => (spread > 0 ? (parameters[k] ?? 0) / spread : 0));
  const level = centred.reduce((sum, { mean }, k) => sum - (slopes[k] ?? 0) * mean, slopes[0] ?? 0);
  return [level, ...slopes.slice(1)];
}
