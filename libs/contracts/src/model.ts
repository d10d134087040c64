import { z } from 'zod';
import { NoiseFloorSchema } from './campaign.js';
import { IdSchema, PageQuerySchema, TimestampSchema } from './ids.js';
import { KernelMapKeySchema } from './kernel-map.js';
import { ProtocolSchema } from './measurement.js';

/** Errors of a model on samples it was not fitted on. Shares are 0…1; APE = |predicted − measured| / measured. */
export const MetricsSchema = z
  .object({
    n: z.int().min(0),
    mape: z.number(),
    medianApe: z.number(),
    within10: z.number().describe('share of samples with APE ≤ 10 %'),
    within20: z.number(),
    rmspe: z.number(),
    r2: z.number().nullable().describe('on milliseconds; null when the times do not vary'),
    r2Log: z.number().nullable().describe('on log milliseconds'),
    spearman: z.number().nullable(),
    coverage: z.number().nullable().describe('share of samples inside the interval; null without one'),
  })
  .meta({ id: 'Metrics' });
export type Metrics = z.infer<typeof MetricsSchema>;

export const ParameterSchema = z.object({
  name: z.string(),
  value: z.number(),
  unit: z.string(),
  standardError: z
    .number()
    .nullable()
    .describe('null unless the state is estimated, or without spare samples'),
  state: z
    .enum(['estimated', 'on-bound', 'not-identifiable'])
    .describe(
      'not-identifiable: predictions use the value, but the data do not tell it; do not show it as a finding',
    ),
});
export type Parameter = z.infer<typeof ParameterSchema>;

/** One form fitted to one kernel group. */
export const FittedGroupSchema = z.object({
  group: z
    .string()
    .describe('kernel group, for example 1x1 or other; all: every group without an entry of its own'),
  n: z.int().min(0),
  parameters: z.array(ParameterSchema),
  correlation: z.array(z.array(z.number().nullable())).describe('of the parameters, in their order'),
  stopped: z
    .enum(['converged', 'max-iterations', 'timed-out', 'singular', 'not-fitted'])
    .describe('singular: minimal, but not every parameter is identifiable'),
});
export type FittedGroup = z.infer<typeof FittedGroupSchema>;

export const FittedFormSchema = z.object({
  form: z.string(),
  groups: z.array(FittedGroupSchema),
  heldOut: MetricsSchema.nullable().describe('cross-validated by shape; null when there are too few shapes'),
  extra: z.unknown().optional().describe('what a form needs beyond parameters, in its own versioned layout'),
});
export type FittedForm = z.infer<typeof FittedFormSchema>;

/** What says how much something costs: the parts that time and energy have alike. Units are ms, or mJ for energy. */
const costModel = {
  chosenForm: z.string(),
  forms: z.array(FittedFormSchema).describe('the flops baseline, the paper’s alpha and the chosen form'),
  interval: z.object({
    coverage: z.number().gt(0).lt(1),
    logHalfWidth: z
      .number()
      .min(0)
      .nullable()
      .describe('|log(t/t̂)| bound in the domain; null: too few samples'),
    logHalfWidthOutside: z
      .number()
      .min(0)
      .nullable()
      .describe('the same just outside the domain; each doubling beyond it adds logHalfWidth'),
  }),
  domain: z
    .record(z.string(), z.object({ min: z.number(), max: z.number() }))
    .describe('fitted range of every axis, and of macs'),
  domainLevels: z
    .record(z.string(), z.array(z.string()))
    .default({})
    .describe('fitted values of dtype, padding and layout; an absent axis is not checked'),
  neighbours: z
    .object({
      doublings: z.number().min(0).describe('distance to the nearest shape beyond which a spec is in a gap'),
      shapes: z
        .array(z.array(z.number().positive()))
        .describe(
          'batch, height, width, cin, cout, kernel_h, kernel_w, stride, groups of typical fitted shapes',
        ),
    })
    .optional()
    .describe('distances are Euclidean over log2 of the axes; absent: gaps are not checked'),
  heldOut: z
    .object({
      worst: z
        .array(z.object({ shape: z.string(), measured: z.number(), predicted: z.number() }))
        .describe('shapes with the largest errors, worst first'),
      points: z
        .array(z.tuple([z.number(), z.number(), z.number()]))
        .describe('macs, measured and predicted of some samples, for plots'),
      shapes: z
        .array(z.tuple([z.string(), z.number().positive()]))
        .optional()
        .describe('shape and prediction of those shapes by which versions are compared'),
    })
    .optional()
    .describe('predictions by the chosen form of shapes that were held out'),
  notes: z.array(z.string()).describe('limits of the model, in words'),
};

/** The energy of one convolution, by the same forms. Where a text says time or ms, it is energy and mJ here. */
export const EnergyModelSchema = z
  .object({
    ...costModel,
    data: z
      .object({
        samples: z.int().min(0),
        shapes: z.int().min(0),
        meter: z
          .string()
          .max(80)
          .optional()
          .describe('the one energy meter that all of them were taken by; absent: not known'),
      })
      .describe('those with energy'),
  })
  .meta({ id: 'EnergyModel' });
export type EnergyModel = z.infer<typeof EnergyModelSchema>;

/** What a model knows of the kernels that a library chooses. */
export const KernelsSchema = z
  .object({
    classifier: z.unknown().describe('tells the kernel of a shape, in its own versioned layout'),
    labels: z.int().min(0).describe('shapes with a known kernel from which it has learned'),
    key: KernelMapKeySchema.optional().describe('by what the kernels are chosen; absent: not known'),
    mapDigest: z
      .string()
      .optional()
      .describe('of the kernel map with this key from which it has learned; absent: from none'),
    given: z.int().min(0).describe('samples whose kernel was given; that of the others was assumed'),
    accuracy: z
      .number()
      .describe('share of the samples’ shapes whose kernel is predicted correctly when held out'),
    heldOut: MetricsSchema.describe('of predictions without a given kernel, by shapes that were held out'),
    logHalfWidth: z
      .number()
      .min(0)
      .nullable()
      .describe('as in interval, where the kernel is assumed; null: too few samples'),
    errors: z
      .array(
        z.object({
          kernel: z.string(),
          n: z.int().min(0),
          medianApe: z.number(),
        }),
      )
      .describe('held-out error with the kernel given, of the most frequent kernels'),
  })
  .meta({ id: 'Kernels' });
export type Kernels = z.infer<typeof KernelsSchema>;

export const MODEL_STATUSES = ['published', 'candidate', 'retired'] as const;
export const ModelStatusSchema = z.enum(MODEL_STATUSES).meta({ id: 'ModelStatus' });
export type ModelStatus = z.infer<typeof ModelStatusSchema>;

export const ModelSchema = z
  .object({
    schema: z.literal('alphaflops.model/1'),
    id: IdSchema.nullable().describe('null for a model fitted from a file'),
    version: z.int().min(1).nullable(),
    deviceClassId: IdSchema.nullable(),
    campaignId: IdSchema.nullable(),
    status: ModelStatusSchema.default('published').describe(
      'the newest published model of a class is served; a candidate is worse than the one served when it was fitted',
    ),
    statusReason: z
      .string()
      .nullable()
      .default(null)
      .describe('why it has this status; null: no reason was given'),
    ...costModel,
    loss: z
      .enum(['relative', 'absolute'])
      .default('relative')
      .describe('relative: soft-L1 on log time; absolute: least squares on milliseconds'),
    kernels: KernelsSchema.optional().describe('absent: the chosen form does not know kernels'),
    energy: EnergyModelSchema.optional().describe('absent: too few samples have energy'),
    noiseFloor: NoiseFloorSchema.optional().describe(
      'between visits of the campaign that was fitted, or of the newest one of the class; absent: not known',
    ),
    device: z.record(z.string(), z.number()).describe('device constants that a form used'),
    data: z.object({
      digest: z.string().describe('sha-256 of the canonical rows that were given to the fit'),
      samples: z.int().min(0),
      shapes: z.int().min(0),
      excluded: z.record(z.string(), z.int()).describe('rows left out, by reason'),
    }),
    protocol: ProtocolSchema.nullable(),
    design: z.string().nullable(),
    seed: z.int(),
    codeVersion: z.string(),
    createdAt: TimestampSchema,
  })
  .meta({ id: 'Model', description: 'One published fit for one device class.' });
export type Model = z.infer<typeof ModelSchema>;

/** A value of two models that is not the same; null where one has none. */
const changeOf = <T extends z.ZodType>(value: T) =>
  z.object({ what: z.string(), before: value.nullable(), after: value.nullable() });

/** What changed from one model to another, only what differs. */
export const ModelDiffSchema = z
  .object({
    origin: z
      .array(changeOf(z.string()))
      .describe('chosen form, data digest, samples, shapes, protocol, design, loss, seed, code version'),
    parameters: z
      .array(changeOf(z.number()).extend({ unit: z.string() }))
      .describe('"form group parameter"; values that the data do not tell are null'),
    errors: z.array(changeOf(z.number())).describe('"form metric", cross-validated'),
    interval: z.array(changeOf(z.number())).describe('half-width, as a logarithm'),
    domain: z.array(changeOf(z.number())).describe('"axis min" and "axis max"'),
    notes: z
      .object({ added: z.array(z.string()), removed: z.array(z.string()) })
      .describe('notes that one model has and the other has not'),
  })
  .meta({ id: 'ModelDiff' });
export type ModelDiff = z.infer<typeof ModelDiffSchema>;

/** The kernel under which a time was predicted. */
export const AssumedKernelSchema = z
  .object({
    name: z.string().describe('as cudnn-frontend spells it: engine and knobs'),
    probability: z.number().describe('how sure the classifier is; 1 where it was not asked'),
    source: z
      .enum(['given', 'cudnn', 'classifier'])
      .describe('given in the request or file; cuDNN was asked; the classifier of the model'),
  })
  .meta({ id: 'AssumedKernel' });
export type AssumedKernel = z.infer<typeof AssumedKernelSchema>;

export const PredictionSchema = z
  .object({
    macs: z.number(),
    flops: z.number().describe('2 × macs'),
    alpha: z.number().describe('cost relative to the device’s best sustained rate: alphaFlops / flops'),
    alphaFlops: z.number(),
    predictedMs: z.number(),
    lowerMs: z.number().nullable(),
    upperMs: z.number().nullable(),
    inDomain: z.boolean(),
    kernel: AssumedKernelSchema.nullable().describe('null: the model does not know kernels'),
    energyMillijoules: z
      .number()
      .nullable()
      .describe('null: the model has no energy, or another form was asked for'),
    lowerEnergyMillijoules: z.number().nullable(),
    upperEnergyMillijoules: z.number().nullable(),
    energyInDomain: z.boolean().nullable(),
  })
  .meta({ id: 'Prediction' });
export type Prediction = z.infer<typeof PredictionSchema>;

export const ModelQuerySchema = PageQuerySchema.extend({ deviceClassId: IdSchema.optional() });
