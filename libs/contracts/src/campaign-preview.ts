import { z } from 'zod';
import { CampaignSchema, CampaignStateSchema } from './campaign.js';
import { ConvSpecSchema } from './conv-spec.js';
import { IdSchema, PageQuerySchema } from './ids.js';

/** The plan for a campaign request. Nothing is stored. */
export const CampaignPreviewSchema = CampaignSchema.pick({
  deviceClassId: true,
  protocol: true,
  plannedSpecs: true,
  plannedSlots: true,
  rounds: true,
  excluded: true,
})
  .extend({
    totalSlots: z.int().describe('plannedSlots, and at most the slots of future rounds'),
    specs: z
      .array(ConvSpecSchema)
      .describe('planned ConvSpecs in the order of measuring; an evenly spread selection of a large plan'),
    leastSeconds: z
      .number()
      .describe('warm-up and timed runs of totalSlots on one device of each target; a campaign takes longer'),
    timesFrom: z
      .enum(['model', 'protocol'])
      .describe(
        'model: estimated by the newest model; protocol: no model exists, so it is the shortest time that the protocol allows',
      ),
  })
  .meta({ id: 'CampaignPreview' });
export type CampaignPreview = z.infer<typeof CampaignPreviewSchema>;

export const CampaignQuerySchema = PageQuerySchema.extend({
  state: CampaignStateSchema.optional(),
  deviceClassId: IdSchema.optional(),
});
