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
      'not-identifiable: predictions use the value, but the data do not determine it; do not show it as a finding',
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
  extra: z.unknown().optional().describe('further data of a form, in its own versioned layout'),
});
export type FittedForm = z.infer<typeof FittedFormSchema>;

/** The parts of a cost model that time and energy have in common. Units are ms, or mJ for energy. */
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
      .describe('logHalfWidth just outside the domain; each further doubling adds logHalfWidth'),
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
        .describe('shapes and predictions with which versions are compared'),
    })
    .optional()
    .describe('predictions of held-out shapes by the chosen form'),
  notes: z.array(z.string()).describe('limits of the model, in words'),
};

/** The energy of one convolution, by the same forms. In texts about time or ms, read energy and mJ. */
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
          .describe('the energy meter of all of these samples; absent: not known'),
      })
      .describe('samples with energy'),
  })
  .meta({ id: 'EnergyModel' });
export type EnergyModel = z.infer<typeof EnergyModelSchema>;

/** The part of a model about the kernels that a library chooses. */
export const KernelsSchema = z
  .object({
    classifier: z.unknown().describe('predicts the kernel of a shape, in its own versioned layout'),
    labels: z.int().min(0).describe('shapes with a known kernel to which it was fitted'),
    key: KernelMapKeySchema.optional().describe('key of the choice of kernels; absent: not known'),
    mapDigest: z
      .string()
      .optional()
      .describe('the kernel map with this key to which it was fitted; absent: no map'),
    given: z.int().min(0).describe('samples with a given kernel; the kernel of the others was assumed'),
    accuracy: z
      .number()
      .describe('share of the samples’ shapes whose kernel is predicted correctly when held out'),
    heldOut: MetricsSchema.describe('errors of predictions without a given kernel, on held-out shapes'),
    logHalfWidth: z
      .number()
      .min(0)
      .nullable()
      .describe('as in interval, for an assumed kernel; null: too few samples'),
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
      'the newest published model of a class is served; a candidate was worse than the served model at the time of its fit',
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
    kernels: KernelsSchema.optional().describe('absent: the chosen form does not use kernels'),
    energy: EnergyModelSchema.optional().describe('absent: too few samples have energy'),
    noiseFloor: NoiseFloorSchema.optional().describe(
      'noise floor of the campaign of the fit, or of the newest campaign of the class; absent: unknown',
    ),
    device: z.record(z.string(), z.number()).describe('device constants that a form used'),
    data: z.object({
      digest: z.string().describe('sha-256 of the canonical rows of the fit'),
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

/** A value that differs between two models; null if a model does not have it. */
const changeOf = <T extends z.ZodType>(value: T) =>
  z.object({ what: z.string(), before: value.nullable(), after: value.nullable() });

/** The differences between two models. */
export const ModelDiffSchema = z
  .object({
    origin: z
      .array(changeOf(z.string()))
      .describe('chosen form, data digest, samples, shapes, protocol, design, loss, seed, code version'),
    parameters: z
      .array(changeOf(z.number()).extend({ unit: z.string() }))
      .describe('"form group parameter"; values that the data do not determine are null'),
    errors: z.array(changeOf(z.number())).describe('"form metric", cross-validated'),
    interval: z.array(changeOf(z.number())).describe('half-width, as a logarithm'),
    domain: z.array(changeOf(z.number())).describe('"axis min" and "axis max"'),
    notes: z
      .object({ added: z.array(z.string()), removed: z.array(z.string()) })
      .describe('notes that only one of the models has'),
  })
  .meta({ id: 'ModelDiff' });
export type ModelDiff = z.infer<typeof ModelDiffSchema>;

/** The kernel of a predicted time. */
export const AssumedKernelSchema = z
  .object({
    name: z.string().describe('engine and knobs, in the spelling of cudnn-frontend'),
    probability: z.number().describe('probability by the classifier; 1 if the kernel does not come from it'),
    source: z
      .enum(['given', 'cudnn', 'classifier'])
      .describe('given: in the request or file; otherwise from cuDNN, or from the classifier of the model'),
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
    kernel: AssumedKernelSchema.nullable().describe('null: the model does not use kernels'),
    energyMillijoules: z
      .number()
      .nullable()
      .describe('null: the model has no energy, or the request names another form'),
    lowerEnergyMillijoules: z.number().nullable(),
    upperEnergyMillijoules: z.number().nullable(),
    energyInDomain: z.boolean().nullable(),
  })
  .meta({ id: 'Prediction' });
export type Prediction = z.infer<typeof PredictionSchema>;

export const ModelQuerySchema = PageQuerySchema.extend({ deviceClassId: IdSchema.optional() });
