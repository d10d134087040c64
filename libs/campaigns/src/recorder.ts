import type { Campaign, Sample } from '@alphaflops/contracts';
import type { Settled } from '@alphaflops/queue';
import { CampaignStore, FleetStore, provenanceId, SampleStore } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { samplesOf, samplesOfFailure } from './samples.js';
import { TargetQueues } from './target-queues.js';

/** Writes settled batches to the store; a batch leaves the queue only after that. */
@Injectable()
export class Recorder {
  private readonly logger = new Logger('recorder');
  private readonly sweeping = new Map<string, Promise<void>>();
  private readonly watched = new Set<string>();

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly fleet: FleetStore,
    private readonly queues: TargetQueues,
  ) {}

  /** Records everything that has settled for a target, and from now on as soon as it settles. */
  async collect(targetId: string, recorded: (campaignId: string) => Promise<void>): Promise<void> {
    if (!this.watched.has(targetId)) {
      this.watched.add(targetId);
      await this.queues.of(targetId).onSettled(() => {
        this.sweep(targetId, recorded).catch((error: unknown) => {
          this.logger.error(`Could not record results of ${targetId}, will try again: ${String(error)}`);
        });
      });
    }
    await this.sweep(targetId, recorded);
  }

  /** One sweep per target at a time: whoever comes while one runs waits for it and then sweeps again. */
  private async sweep(targetId: string, recorded: (campaignId: string) => Promise<void>): Promise<void> {
    const running = this.sweeping.get(targetId);
    const next = (running ?? Promise.resolve())
      .catch(() => undefined)
      .then(async () => {
        const touched = new Set<string>();
        await this.queues.of(targetId).collect(async (settled) => {
          await this.record(settled);
          touched.add(settled.payload.campaignId);
        });
        for (const campaignId of touched) await recorded(campaignId);
      });
    this.sweeping.set(targetId, next);
    try {
      await next;
    } finally {
      if (this.sweeping.get(targetId) === next) this.sweeping.delete(targetId);
    }
  }

  private async record(settled: Settled<'measure'>): Promise<void> {
    const { payload } = settled;
    const campaign = await this.campaigns.get(payload.campaignId);
    if (campaign === null) {
      this.logger.warn(`Dropped a batch of the unknown campaign ${payload.campaignId}.`);
      return;
    }
    const { samples, provenance } = await this.toSamples(campaign, settled);
    const { inserted, duplicates } = await this.samples.record(samples, provenance);
    this.logger.debug(
      `campaign=${payload.campaignId} batch=${payload.batchIndex} recorded=${inserted} duplicates=${duplicates}`,
    );
  }

  private async toSamples(campaign: Campaign, settled: Settled<'measure'>) {
    const { payload } = settled;
    const now = new Date().toISOString();
    const none = new Map<string, never>();
    const failed = (
      attempts: number,
      reason: string,
    ): { samples: Sample[]; provenance: Map<string, never> } => ({
      samples: samplesOfFailure(payload, campaign.deviceClassId, attempts, reason, now),
      provenance: none,
    });
    if (!settled.ok) return failed(settled.attempts, settled.reason);
    const { result } = settled;
    const device = await this.fleet.device(result.deviceId);
    if (device === null || ![device.id, device.deviceClassId].includes(payload.targetId)) {
      return failed(result.attempt, `it was measured on ${result.deviceId}, which is not what it was for`);
    }
    return {
      samples: samplesOf(payload, result, device, now),
      provenance: new Map([[provenanceId(result.provenance), result.provenance]]),
    };
  }
}
