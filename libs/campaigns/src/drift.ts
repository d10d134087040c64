import type { Campaign, MeasureResult } from '@alphaflops/contracts';
import { driftOf, hasDrifted } from '@alphaflops/measure';
import { areAnchorsSignedBy } from '@alphaflops/provenance';
import { CampaignStore, FleetStore, SampleStore, type Slot } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { batchCount, plannedBatch } from './batches.js';

/**
 * States of campaigns that can still measure a slot again. The samples of others stay, because models may depend on
 * them.
 */
const CAN_MEASURE: readonly Campaign['state'][] = ['running', 'paused'];

/**
 * Checks the anchors in results (docs/decisions/0006-drift.md). Samples that a drifted device measured since its last
 * good run leave their slots. The reconciler submits free slots again.
 */
@Injectable()
export class Drift {
  private readonly logger = new Logger('drift');

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly fleet: FleetStore,
  ) {}

  /**
   * Takes an accepted result, with or without anchors. Safe to repeat: samples that started after the run do not
   * change. Returns the number of samples that were set aside.
   */
  async judge({ anchors, workerId, deviceId }: MeasureResult): Promise<number> {
    if (anchors === undefined) return 0;
    const { signature, ...run } = anchors;
    const publicKey = (await this.fleet.worker(workerId))?.publicKey ?? null;
    if (publicKey === null || !areAnchorsSignedBy({ ...run, workerId, deviceId }, signature, publicKey)) {
      this.logger.warn(`Anchors of ${deviceId} are not signed by ${workerId}; they change nothing.`);
      return 0;
    }
    const device = await this.fleet.device(deviceId);
    const kind = (await this.fleet.deviceClass(device?.deviceClassId ?? ''))?.kind ?? 'gpu';
    const { ratios, startedAt, batches } = run;
    if (!hasDrifted(ratios, kind)) return 0;
    const drift = driftOf(ratios);
    const change = `${(100 * Math.abs(drift)).toFixed(1)} % ${drift < 0 ? 'less time' : 'more time'}`;
    const reason = `the anchors of ${deviceId} took ${change} at ${startedAt} than when its worker began`;
    let count = 0;
    for (const { campaignId, targetId, batchIndex } of batches) {
      const campaign = await this.campaigns.get(campaignId);
      if (campaign === null || !CAN_MEASURE.includes(campaign.state)) continue;
      const slots = slotsOf(campaign, targetId, batchIndex);
      const which = { deviceId, startedBefore: startedAt, reason };
      count += await this.samples.setAside(slots, which);
    }
    if (count > 0) {
      this.logger.warn(
        `${deviceId} has drifted: its anchors took ${change}. ${count} samples are measured again.`,
      );
    }
    return count;
  }
}

function slotsOf(campaign: Campaign, targetId: string, batchIndex: number): Slot[] {
  if (batchIndex >= batchCount(campaign)) return [];
  const { specIndexes, replicate } = plannedBatch(campaign, batchIndex);
  return specIndexes.map((specIndex) => ({ campaignId: campaign.id, targetId, specIndex, replicate }));
}
