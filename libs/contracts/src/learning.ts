import { z } from 'zod';
import { TimestampSchema } from './ids.js';

/** One point of the learning curve of a campaign: the error of a fit on shapes that it did not see, and the cost so far. */
export const LearningPointSchema = z
  .object({
    at: TimestampSchema,
    shapes: z.int().min(1).describe('measured shapes'),
    samples: z.int().min(1),
    form: z.string().describe('fitted form'),
    medianApe: z.number().min(0).describe('held-out median error, a share'),
    standardError: z
      .number()
      .min(0)
      .describe('standard error of medianApe, from the number of shapes that give it'),
    judgedBy: z.int().min(1).describe('samples of shapes that the fit did not see'),
    deviceSeconds: z.number().min(0).describe('measuring time, summed over all devices'),
    energyJ: z
      .number()
      .min(0)
      .nullable()
      .describe(
        'energy that the devices used for measurements, from their power readings; null if a device reports no power',
      ),
    fitSeconds: z.number().min(0).describe('duration of this fit; devices continue to measure during it'),
  })
  .meta({ id: 'LearningPoint' });
export type LearningPoint = z.infer<typeof LearningPointSchema>;

export const STOP_KINDS = ['target-reached', 'noise-floor', 'budget', 'max-time'] as const;

/** Why a campaign stopped measuring: because of its target error or its time limit. */
export const CampaignStopSchema = z
  .object({
    kind: z
      .enum(STOP_KINDS)
      .describe(
        'noise-floor: repeated measurements differ by more than the target, so no model can be proven to reach it; budget: all shapes are measured',
      ),
    reason: z.string().describe('readable reason'),
  })
  .meta({ id: 'CampaignStop' });
export type CampaignStop = z.infer<typeof CampaignStopSchema>;

/** Forecast of the error of a campaign, by its learning curve. */
export const ForecastSchema = z
  .object({
    shapesForTarget: z
      .int()
      .nullable()
      .describe('number of measured shapes at which the target is reached; null: no number reaches it'),
    moreShapes: z.int().min(0).nullable().describe('further shapes until then; null as above'),
    lowShapes: z
      .int()
      .nullable()
      .describe('in four of five cases at least this number of shapes; null as above'),
    highShapes: z
      .int()
      .nullable()
      .describe('in four of five cases at most this number of shapes; null: perhaps never'),
    secondsForTarget: z.number().nullable().describe('from now on, at the present rate; null: not known'),
    medianApeAtBudget: z
      .number()
      .describe('expected held-out median error when the whole budget is measured'),
    reachable: z
      .number()
      .describe('lowest held-out median error that this form is expected to reach with any number of shapes'),
    curve: z
      .array(z.object({ shapes: z.int().min(1), medianApe: z.number() }))
      .describe('the curve from its first point to the target or the budget, to the later of the two'),
    text: z.string().describe('the forecast as text'),
  })
  .meta({ id: 'Forecast' });
export type Forecast = z.infer<typeof ForecastSchema>;
