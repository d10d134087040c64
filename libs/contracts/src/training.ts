import { PASSES } from '@alphaflops/conv';
import { z } from 'zod';
import { PredictionSchema } from './model.js';

/** The part of a request about training. */
export const TrainingRequestSchema = z
  .strictObject({
    samples: z
      .int()
      .min(1)
      .max(1e12)
      .optional()
      .describe('training samples of an epoch; without it there is no epoch'),
  })
  .meta({ id: 'TrainingRequest' });
export type TrainingRequest = z.infer<typeof TrainingRequestSchema>;

const bound = z.number().nullable();
/** What some passes over some layers cost together. */
const cost = {
  macs: z.number(),
  predictedMs: z.number(),
  lowerMs: bound.describe('null where a layer has no interval'),
  upperMs: bound,
  energyMillijoules: bound.describe('null where a layer has none'),
  lowerEnergyMillijoules: bound,
  upperEnergyMillijoules: bound,
};
export const TrainingCostSchema = z.object(cost);
export type TrainingCost = z.infer<typeof TrainingCostSchema>;

const layer = {
  forward: PredictionSchema,
  'backward-data': PredictionSchema,
  'backward-weights': PredictionSchema,
};
const emitted = z.object({ grams: z.number(), lowerGrams: bound, upperGrams: bound });

/** What training costs: each layer forward and in both backward passes. */
export const TrainingSchema = z
  .object({
    layers: z.array(z.object(layer)).describe('each layer in each pass'),
    passes: z.object({ forward: TrainingCostSchema, 'backward-data': TrainingCostSchema, 'backward-weights': TrainingCostSchema }), // prettier-ignore
    step: TrainingCostSchema.describe('all three passes over all layers, once'),
    epoch: z
      .object({ samples: z.int(), steps: z.int(), ...cost })
      .nullable()
      .describe('null without samples; the last step counts in full'),
    unknownPasses: z
      .array(z.enum(PASSES))
      .describe(
        'passes of which the model has no sample: they have the cost of the forward pass, without an interval',
      ),
    emissions: z
      .object({ step: emitted, epoch: emitted.nullable() })
      .nullable()
      .optional()
      .describe('CO2e, where a grid intensity was given; null where a layer has no energy'),
  })
  .meta({
    id: 'Training',
    description:
      'Of the convolutions and dense layers alone. The optimiser, the loss and all other layers are not part of it.',
  });
export type Training = z.infer<typeof TrainingSchema>;
