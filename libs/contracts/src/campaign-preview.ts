import { z } from 'zod';
import { CampaignSchema, CampaignStateSchema } from './campaign.js';
import { ConvSpecSchema } from './conv-spec.js';
import { IdSchema, PageQuerySchema } from './ids.js';

/** What a request for a campaign would plan; nothing is stored. */
export const CampaignPreviewSchema = CampaignSchema.pick({
  deviceClassId: true,
  protocol: true,
  plannedSpecs: true,
  plannedSlots: true,
  rounds: true,
  excluded: true,
})
  .extend({
    totalSlots: z.int().describe('plannedSlots and those of rounds to come, at most'),
    specs: z
      .array(ConvSpecSchema)
      .describe('planned ConvSpecs in the order of measuring; of a large plan, evenly spread ones'),
    leastSeconds: z
      .number()
      .describe('warm-up and timed runs of totalSlots on one device of each target; a campaign takes longer'),
    timesFrom: z
      .enum(['model', 'protocol'])
      .describe('model: expected by the newest model; protocol: no model yet, the shortest that it allows'),
  })
  .meta({ id: 'CampaignPreview' });
export type CampaignPreview = z.infer<typeof CampaignPreviewSchema>;

export const CampaignQuerySchema = PageQuerySchema.extend({
  state: CampaignStateSchema.optional(),
  deviceClassId: IdSchema.optional(),
});
