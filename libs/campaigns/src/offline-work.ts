import type { MeasureJob, OfflineResult, Page, PageQuery } from '@alphaflops/contracts';
import { ApiProblem } from '@alphaflops/http';
import { measureJobId } from '@alphaflops/queue';
import { Injectable } from '@nestjs/common';
import { CampaignsService } from './campaigns.service.js';
import { Dispatcher } from './dispatcher.js';
import { Recorder } from './recorder.js';
import { TargetQueues } from './target-queues.js';

/** Batches for nodes without a network: they are exported to a file, and their results are imported from a file. */
@Injectable()
export class OfflineWork {
  constructor(
    private readonly campaigns: CampaignsService,
    private readonly dispatcher: Dispatcher,
    private readonly recorder: Recorder,
    private readonly queues: TargetQueues,
  ) {}

  /** Batches that are not stored in full. They also stay in their queues, where a connected worker may take them first. */
  async batches(campaignId: string, page: PageQuery): Promise<Page<MeasureJob>> {
    const campaign = await this.campaigns.get(campaignId);
    if (campaign.state !== 'running' && campaign.state !== 'paused') {
      throw new ApiProblem(
        409,
        'no-open-work',
        `The campaign is ${campaign.state}: only a running or paused campaign has work to export.`,
      );
    }
    return await this.dispatcher.openBatches(campaign, page);
  }

  /**
   * Stores the result of a batch, with the checks that results of connected workers pass.
   * @throws ApiProblem 409 with the reason if it is refused
   */
  async record(campaignId: string, { targetId, batchIndex, seal, body }: OfflineResult): Promise<void> {
    await this.campaigns.get(campaignId);
    const { workerId, attempt } = seal;
    const id = measureJobId({ campaignId, batchIndex });
    const recorded = await this.recorder.record({
      lease: { job: 'measure', targetId, id, token: '', attempt },
      workerId,
      standing: 'free',
      result: seal,
      body: Buffer.from(body, 'base64'),
      receivedAtMs: Date.now(),
    });
    if (recorded.kind === 'refused') {
      throw new ApiProblem(409, 'result-refused', `The result was refused: ${recorded.reason}.`);
    }
    // A worker that has started the batch continues with it. At its end, the result is already stored.
    await this.queues.of(targetId).withdraw([id]);
  }
}
