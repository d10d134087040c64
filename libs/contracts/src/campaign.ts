import { DTYPES, PASSES } from '@alphaflops/conv';
import { z } from 'zod';
import { IdSchema, LineSchema, TimestampSchema } from './ids.js';
import { CampaignStopSchema, ForecastSchema, LearningPointSchema } from './learning.js';
import { OUTCOMES, ProtocolSchema } from './measurement.js';

/** Largest number of ConvSpecs in one campaign. */
export const MAX_CAMPAIGN_SPECS = 1_000_000;

/** Longest time that a campaign may be limited to: a year. */
export const MAX_CAMPAIGN_SECONDS = 366 * 86_400;

export const CAMPAIGN_STATES = [
  'draft',
  'planned',
  'running',
  'paused',
  'fitting',
  'completed',
  'failed',
  'cancelled',
] as const;
export const CampaignStateSchema = z.enum(CAMPAIGN_STATES).meta({ id: 'CampaignState' });
export type CampaignState = z.infer<typeof CampaignStateSchema>;

/** Allowed changes of state. All others are refused. */
export const CAMPAIGN_TRANSITIONS: Readonly<Record<CampaignState, readonly CampaignState[]>> = {
  draft: ['planned', 'failed', 'cancelled'],
  planned: ['running', 'failed', 'cancelled'],
  running: ['paused', 'fitting', 'failed', 'cancelled'],
  paused: ['running', 'fitting', 'failed', 'cancelled'],
  fitting: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

/** Designs with a fixed list. They have no seed. */
export const FIXED_DESIGNS = [
  'paper-series',
  'replication-A',
  'replication-B',
  'replication-C',
  'replication-D',
  'replication-E',
  'replication-F',
  'replication-G',
  'replication-grid',
] as const;
export type FixedDesign = (typeof FIXED_DESIGNS)[number];

/** The design of a campaign. Name, size and seed determine its ConvSpecs, and for `adaptive` also the measurements. `csv` has its own list. */
export const DesignSchema = z
  .discriminatedUnion('name', [
    z.strictObject({ name: z.enum(FIXED_DESIGNS) }),
    z.strictObject({ name: z.literal('random'), seed: z.int().min(0).max(4_294_967_295).default(1) }),
    z.strictObject({ name: z.literal('networklike'), seed: z.int().min(0).max(4_294_967_295).default(1) }),
    z.strictObject({
      name: z.literal('adaptive'),
      seed: z.int().min(0).max(4_294_967_295).default(1),
      rounds: z
        .int()
        .min(1)
        .max(100)
        .default(8)
        .describe('rounds of measuring, fitting and choosing; fewer when the budget is small'),
    }),
    z.strictObject({
      name: z.literal('csv'),
      csv: z.string().min(1).describe('canonical CSV; time_ms not needed'),
    }),
  ])
  .meta({ id: 'Design' });
export type Design = z.infer<typeof DesignSchema>;

/** Limits for the shapes of a plan. Other shapes are left out and counted. An absent field has no effect. */
export const PlanConstraintsSchema = z
  .strictObject({
    dtypes: z.array(z.enum(DTYPES)).min(1).optional().describe('absent: all designs except csv plan f32'),
    maxMacs: z.number().gt(0).optional().describe('largest number of multiply-adds of one convolution'),
    allowGroups: z.boolean().optional().describe('false: neither depthwise nor grouped convolutions'),
    passes: z
      .array(z.enum(PASSES))
      .min(1)
      .optional()
      .describe('all designs except csv plan each shape in each of these passes; absent: forward'),
    allGeometries: z
      .boolean()
      .optional()
      .describe('true: networklike also draws dilated kernels, strides by axis and explicit padding'),
  })
  .meta({ id: 'PlanConstraints' });
export type PlanConstraints = z.infer<typeof PlanConstraintsSchema>;

/** A device class (its devices share the work) or single devices (each measures everything). */
export const TargetSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('device-class'), deviceClassId: IdSchema }),
    z.strictObject({ kind: z.literal('devices'), deviceIds: z.array(IdSchema).min(1).max(1000) }),
  ])
  .meta({ id: 'Target' });
export type Target = z.infer<typeof TargetSchema>;

/** Request for a fit, which a campaign makes after its last sample. */
export const FitRequestSchema = z
  .object({
    form: z.string().max(40).default('auto').describe('a registered form, or auto'),
    seed: z.int().min(0).max(4_294_967_295).default(1),
  })
  .strict()
  .meta({ id: 'FitRequest' });
export type FitRequest = z.infer<typeof FitRequestSchema>;

export const CampaignRequestSchema = z
  .object({
    name: LineSchema.min(1).max(120),
    design: DesignSchema,
    target: TargetSchema,
    budget: z.strictObject({
      specs: z.int().min(1).max(MAX_CAMPAIGN_SPECS).describe('at most this many ConvSpecs are planned'),
      maxSpecMs: z
        .number()
        .gt(0)
        .optional()
        .describe('specs expected to take longer are left out, and counted'),
      targetError: z
        .number()
        .gt(0)
        .lt(1)
        .optional()
        .describe(
          'held-out median error as a share: the campaign measures in rounds, fits between the rounds, and stops when the error is at or below this value; 0.08 is 8 %',
        ),
      maxSeconds: z
        .number()
        .gt(0)
        .lte(MAX_CAMPAIGN_SECONDS)
        .optional()
        .describe('the campaign stops measuring after this running time; pauses do not count'),
    }),
    constraints: PlanConstraintsSchema.optional(),
    protocol: z
      .string()
      .max(40)
      .optional()
      .describe('a registered protocol; by default the one for the executor'),
    energy: z
      .boolean()
      .optional()
      .describe('also measure energy, if the device counts it: about 2 s more for each convolution'),
    replicates: z.int().min(1).max(100).default(1),
    repeats: z
      .number()
      .min(0)
      .lte(1)
      .optional()
      .describe(
        'share of the shapes that are measured a second time, later, on the same device; absent: 0.03, and at least 10 shapes for a budget of 100 or more; never more than 1,000 shapes',
      ),
    fit: FitRequestSchema.prefault({}),
  })
  .strict()
  .meta({ id: 'CampaignRequest' });
export type CampaignRequest = z.infer<typeof CampaignRequestSchema>;

export const OutcomeCountsSchema = z
  .object(
    Object.fromEntries(OUTCOMES.map((o) => [o, z.int().min(0)])) as Record<
      (typeof OUTCOMES)[number],
      z.ZodInt
    >,
  )
  .meta({ id: 'OutcomeCounts' });
export type OutcomeCounts = z.infer<typeof OutcomeCountsSchema>;

export const StateChangeSchema = z.object({
  state: CampaignStateSchema,
  at: TimestampSchema,
  reason: z.string(),
});
export type StateChange = z.infer<typeof StateChangeSchema>;

/** Progress of a campaign that plans in rounds. */
export const CampaignRoundsSchema = z
  .object({
    testSpecs: z
      .int()
      .min(0)
      .describe(
        'the first specs of the plan are test shapes: they only measure the error, and are never used to choose other shapes',
      ),
    ends: z
      .array(z.int().min(1))
      .min(1)
      .describe('number of planned specs at the end of each round so far, in ascending order'),
    storedSpecs: z
      .int()
      .min(1)
      .optional()
      .describe(
        'specs of all rounds, chosen before the first one; absent: each round is chosen by what the rounds before have measured',
      ),
  })
  .meta({ id: 'CampaignRounds' });
export type CampaignRounds = z.infer<typeof CampaignRoundsSchema>;

/** Shapes that are measured again after all others. Each gets one more slot, with a replicate number of its own. */
export const RevisitSchema = z
  .object({
    replicate: z.int().min(1).describe('of these slots'),
    deviceId: IdSchema.nullable().describe(
      'the device that measured them before; null: every target is a device, and measures its own shapes again',
    ),
    specIndexes: z.array(z.int().min(0)).min(1),
    afterRound: z
      .int()
      .min(1)
      .optional()
      .describe('rounds that were planned before these slots; absent: all of them'),
  })
  .meta({ id: 'Revisit' });
export type Revisit = z.infer<typeof RevisitSchema>;

export const CampaignRepeatsSchema = z
  .object({
    specIndexes: z
      .array(z.int().min(0))
      .describe('shapes that are visited more than once, evenly spread over the plan'),
    revisits: z
      .array(RevisitSchema)
      .describe('second visits, then third visits of shapes whose two visits disagree'),
  })
  .meta({ id: 'CampaignRepeats' });
export type CampaignRepeats = z.infer<typeof CampaignRepeatsSchema>;

/**
 * How much two visits of one device to one shape differ. Errors of models cannot be measured more exactly with these samples. A
 * log ratio is |ln(t₂ / t₁)|, which is about the relative difference if it is small.
 */
export const NoiseFloorSchema = z
  .object({
    shapes: z.int().min(1).describe('shapes with two good visits by one device'),
    medianLogRatio: z.number().min(0),
    p90LogRatio: z.number().min(0).describe('90th percentile'),
  })
  .meta({ id: 'NoiseFloor' });
export type NoiseFloor = z.infer<typeof NoiseFloorSchema>;

export const CampaignSchema = z
  .object({
    id: IdSchema,
    name: z.string(),
    state: CampaignStateSchema,
    history: z.array(StateChangeSchema),
    request: CampaignRequestSchema.describe(
      'the original request; a csv design is stored as its planned specs',
    ),
    deviceClassId: IdSchema.describe('class of every target device'),
    targetIds: z.array(IdSchema).describe('one queue each: the class, or the devices'),
    protocol: ProtocolSchema,
    batchSize: z.int().min(1),
    plannedSpecs: z.int().min(0),
    plannedSlots: z.int().min(0).describe('specs × replicates × targets, plus the repeated ones so far'),
    rounds: CampaignRoundsSchema.optional().describe(
      'rounds of the design adaptive; absent: all specs are planned at once',
    ),
    repeats: CampaignRepeatsSchema.optional().describe('absent: not planned yet, or not requested'),
    noiseFloor: NoiseFloorSchema.optional().describe(
      'absent: unknown, because no shape has two good visits by one device yet',
    ),
    learning: z
      .array(LearningPointSchema)
      .optional()
      .describe('after each round of a campaign with a target error, oldest first; absent: no target error'),
    stop: CampaignStopSchema.optional().describe(
      'absent: the campaign still measures, or it measured all planned specs',
    ),
    excluded: z.record(z.string(), z.int().min(0)).describe('specs left out at planning, by reason'),
    modelId: IdSchema.nullable(),
    createdAt: TimestampSchema,
    updatedAt: TimestampSchema,
  })
  .meta({ id: 'Campaign' });
export type Campaign = z.infer<typeof CampaignSchema>;

/** The present round of a campaign that plans in rounds. */
export const CampaignRoundSchema = z
  .object({
    number: z.int().min(1).describe('number of the newest planned round'),
    of: z.int().min(1).describe('total number of rounds; future rounds as the design plans them'),
    isPlanningNext: z
      .boolean()
      .describe('all specs of this round are measured, and the next round is being planned'),
  })
  .meta({ id: 'CampaignRound' });
export type CampaignRound = z.infer<typeof CampaignRoundSchema>;

export const CampaignProgressSchema = z
  .object({
    campaignId: IdSchema,
    state: CampaignStateSchema,
    plannedSlots: z.int().describe('measurements planned so far'),
    totalSlots: z
      .int()
      .describe(
        'plannedSlots at the end of the campaign: larger than plannedSlots only while further rounds or repeats follow; third visits are not included',
      ),
    recordedSlots: z.int(),
    outcomes: OutcomeCountsSchema,
    round: CampaignRoundSchema.nullable().describe('null: the campaign does not plan in rounds'),
    slotsPerSecond: z
      .number()
      .nullable()
      .describe('over the newest minute of recording; null while nothing can be recorded'),
    devices: z
      .array(z.object({ deviceId: IdSchema, slotsPerSecond: z.number() }))
      .describe('the same by device, the fastest first; empty while nothing can be recorded'),
    remainingSeconds: z
      .number()
      .nullable()
      .describe(
        'remaining time until totalSlots are recorded at this rate; while a round is planned, at the mean rate so far',
      ),
    waitingFor: z
      .string()
      .nullable()
      .describe('condition for the first measurement; null: no condition, or something is measured already'),
    modelId: IdSchema.nullable(),
    noiseFloor: NoiseFloorSchema.nullable().describe('null: not known, or not yet'),
    targetError: z.number().nullable().describe('null: the campaign has no target error'),
    learning: z.array(LearningPointSchema).describe('empty without a target error'),
    forecast: ForecastSchema.nullable().describe(
      'null: no target error, the campaign has stopped, or too few rounds are measured',
    ),
    stop: CampaignStopSchema.nullable(),
    reason: z.string().describe('of the newest change of state'),
  })
  .meta({ id: 'CampaignProgress' });
export type CampaignProgress = z.infer<typeof CampaignProgressSchema>;
