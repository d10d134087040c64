import type { Campaign, MeasureJob } from '@alphaflops/contracts';
import { measureJobId } from '@alphaflops/queue';
import { CampaignStore, SampleStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { batchCount, batchRange } from './batches.js';
import { TargetQueues } from './target-queues.js';

/** Batches submitted in one go; bounds memory. */
const PAGE = 500;

/** Brings the queues in line with the store: what is planned and not yet stored is work to do. */
@Injectable()
export class Dispatcher {
  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly queues: TargetQueues,
  ) {}

  /** Submits every batch that is not stored in full. Safe to repeat: batches have fixed ids, slots are stored once. */
  async submitMissing(campaign: Campaign): Promise<void> {
    for (const [targetId, missing] of await this.missingBatches(campaign)) {
      for (let at = 0; at < missing.length; at += PAGE) {
        const page = await Promise.all(
          missing.slice(at, at + PAGE).map((index) => this.batch(campaign, targetId, index)),
        );
        await this.queues
          .of(targetId)
          .submit(page.map((payload) => ({ id: measureJobId(payload), payload })));
      }
    }
  }

  /** Takes back what no worker has begun. */
  async withdraw(campaign: Campaign): Promise<void> {
    for (const [targetId, missing] of await this.missingBatches(campaign)) {
      const ids = missing.map((batchIndex) => measureJobId({ campaignId: campaign.id, batchIndex }));
      await this.queues.of(targetId).withdraw(ids);
    }
  }

  private async missingBatches(campaign: Campaign): Promise<Map<string, number[]>> {
    const stored = new Map(campaign.targetIds.map((targetId) => [targetId, new Map<number, number>()]));
    for await (const { targetId, batchIndex, recorded } of this.samples.batchCounts(campaign.id)) {
      stored.get(targetId)?.set(batchIndex, recorded);
    }
    const count = batchCount(campaign);
    return new Map(
      [...stored].map(([targetId, recorded]) => {
        const missing: number[] = [];
        for (let index = 0; index < count; index += 1) {
          const { from, to } = batchRange(campaign, index);
          if ((recorded.get(index) ?? 0) < to - from) missing.push(index);
        }
        return [targetId, missing];
      }),
    );
  }

  /** What there is to measure in a batch, as planned. */
  async batch(campaign: Campaign, targetId: string, batchIndex: number): Promise<MeasureJob> {
    const { from, to, replicate } = batchRange(campaign, batchIndex);
    const specs = await this.campaigns.specs(campaign.id, from, to);
    return {
      campaignId: campaign.id,
      targetId,
      batchIndex,
      protocol: campaign.protocol,
      slots: specs.map((spec, i) => ({ specIndex: from + i, replicate, spec })),
    };
  }
}
