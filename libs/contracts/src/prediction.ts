import { z } from 'zod';
import { ConvSpecSchema, MAX_AXIS } from './conv-spec.js';
import { IdSchema } from './ids.js';
import { KernelNameSchema } from './kernel.js';
import { PredictionSchema } from './model.js';
import { CompletenessSchema, NetworkFileSchema, NetworkSchema } from './network.js';
import { TrainingRequestSchema, TrainingSchema } from './training.js';

/** Largest number of layers in one request for predictions. */
export const MAX_LAYERS = 10_000;

export const PredictionRequestSchema = z
  .object({
    model: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('model'), modelId: IdSchema }),
        z.strictObject({ kind: z.literal('device-class'), deviceClassId: IdSchema }),
        z.strictObject({ kind: z.literal('device'), deviceId: IdSchema }),
      ])
      .describe('one model, or the served model of a device class or device'),
    form: z
      .string()
      .max(40)
      .optional()
      .describe('a form of the model; by default the chosen one, which alone has an interval'),
    layers: z.array(ConvSpecSchema).min(1).max(MAX_LAYERS).optional(),
    kernels: z
      .array(KernelNameSchema.nullable())
      .max(MAX_LAYERS)
      .optional()
      .describe('kernels of the layers, in the order of the layers; null: unknown, the model assumes one'),
    network: NetworkFileSchema.optional(),
    inferencesPerPass: z
      .int()
      .min(1)
      .max(MAX_AXIS)
      .optional()
      .describe(
        'inferences of one pass over the layers; default: the batch of the network file, otherwise 1',
      ),
    gridIntensityGramsPerKwh: z
      .number()
      .positive()
      .optional()
      .describe('gCO2e per kWh at the place of the device; the answer then has emissions'),
    training: TrainingRequestSchema.optional().describe('also request the backward passes'),
  })
  .strict()
  .refine(({ layers, network }) => (layers === undefined) !== (network === undefined), {
    path: ['layers'],
    message: 'give either layers or a network',
  })
  .refine(({ layers, kernels }) => kernels === undefined || kernels.length === layers?.length, {
    path: ['kernels'],
    message: 'give one kernel, or null, for each of the layers',
  })
  .meta({ id: 'PredictionRequest' });
export type PredictionRequest = z.infer<typeof PredictionRequestSchema>;

export const PredictionsSchema = z
  .object({
    modelId: IdSchema,
    layers: z.array(PredictionSchema),
    total: z.object({
      macs: z.number(),
      flops: z.number(),
      alphaFlops: z.number(),
      predictedMs: z.number(),
      lowerMs: z.number().nullable().describe('errors of layers partly cancel: docs/models.md'),
      upperMs: z.number().nullable(),
      energyMillijoules: z.number().nullable().describe('null where a layer has none'),
      lowerEnergyMillijoules: z.number().nullable(),
      upperEnergyMillijoules: z.number().nullable(),
      energyWh: z.number().nullable(),
      layersOutsideDomain: z.int(),
      ...CompletenessSchema.partial().shape,
    }),
    emissions: z
      .object({
        gridIntensityGramsPerKwh: z.number(),
        inferencesPerPass: z.int(),
        perInference: z.object({
          grams: z.number(),
          lowerGrams: z.number().nullable(),
          upperGrams: z.number().nullable(),
        }),
        perMillionInferences: z.object({
          kilograms: z.number(),
          lowerKilograms: z.number().nullable(),
          upperKilograms: z.number().nullable(),
        }),
      })
      .nullable()
      .optional()
      .describe('CO2e, if the request has a grid intensity; null if a layer has no energy'),
    network: NetworkSchema.optional().describe('the contents of the network file'),
    training: TrainingSchema.optional().describe(
      'if it was requested; its steps have inferencesPerPass samples',
    ),
  })
  .meta({ id: 'Predictions' });
export type Predictions = z.infer<typeof PredictionsSchema>;
