import type { Campaign, MeasureJob, Page, PageQuery } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { measureJobId } from '@alphaflops/queue';
import { CampaignStore, decodeCursor, pageFrom, SampleStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { batchCount, type PlannedBatch, plannedBatch } from './batches.js';
import { sampleId } from './samples.js';
import { Staffing } from './staffing.js';
import { TargetQueues } from './target-queues.js';

/** Number of batches per submission; limits memory. */
const PAGE = 500;
/** Number of pages in progress at the same time: the next page is read while Redis stores the previous one. */
const LANES = 2;

/** Updates the queues from the store: planned specs without stored samples are open work. */
@Injectable()
export class Dispatcher {
  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly queues: TargetQueues,
    private readonly staffing: Staffing,
  ) {}

  /**
   * Submits every batch that is not stored in full. Safe to repeat: batches have fixed ids, slots are stored once.
   * @param planned the specs of the campaign, if available; otherwise they are read
   */
  async submitMissing(campaign: Campaign, planned?: readonly ConvSpec[]): Promise<void> {
    const specs: SpecsOf = (from, to) =>
      planned?.slice(from, to) ?? this.campaigns.specs(campaign.id, from, to);
    for (const [targetId, missing] of await this.missingBatches(campaign)) {
      for (const [deviceId, batches] of byDevice(missing)) {
        const queue = this.queues.of(await this.queueIdOf(targetId, deviceId));
        const pages = pagesOf(batches);
        const lane = async () => {
          for (const page of pages) {
            const jobs = await jobsOf(campaign, targetId, page, specs);
            await queue.submit(jobs.map((payload) => ({ id: measureJobId(payload), payload })));
          }
        };
        await Promise.all(Array.from({ length: LANES }, lane));
      }
    }
  }

  /** Withdraws batches that no worker has started. */
  async withdraw(campaign: Campaign): Promise<void> {
    for (const [targetId, missing] of await this.missingBatches(campaign)) {
      for (const [deviceId, batches] of byDevice(missing)) {
        const ids = batches.map(({ batchIndex }) => measureJobId({ campaignId: campaign.id, batchIndex }));
        await this.queues.of(targetId).withdraw(ids);
        if (deviceId !== null) await this.queues.of(deviceId).withdraw(ids);
      }
    }
  }

  /** Batches that are not stored in full, by target and number. */
  async openBatches(campaign: Campaign, { cursor, limit }: PageQuery): Promise<Page<MeasureJob>> {
    const missing = await this.missingBatches(campaign);
    const open = [...missing].flatMap(([targetId, batches]) =>
      batches.map(({ batchIndex }) => ({
        targetId,
        batchIndex,
        id: placeKey(campaign, targetId, batchIndex),
      })),
    );
    const after = cursor === undefined ? '' : decodeCursor(OPEN_BATCHES, cursor);
    const { items, nextCursor } = pageFrom(
      OPEN_BATCHES,
      // Batches that were stored in the meantime are not in the list any more, so the cursor is a position, not an item.
      open.filter(({ id }) => id > after).slice(0, limit + 1),
      limit,
    );
    const jobs: MeasureJob[] = [];
    for (const { targetId, batchIndex } of items) jobs.push(await this.batch(campaign, targetId, batchIndex));
    return { items: jobs, nextCursor };
  }

  /** Whether the queues of this campaign have waiting or active work, of this campaign or of another one. */
  async isInWork({ targetIds, repeats }: Campaign): Promise<boolean> {
    const queueIds = new Set(targetIds);
    for (const { deviceId } of repeats?.revisits ?? []) {
      for (const targetId of targetIds) queueIds.add(await this.queueIdOf(targetId, deviceId));
    }
    for (const id of queueIds) {
      const { waiting, active } = await this.queues.of(id).counts();
      if (waiting + active > 0) return true;
    }
    return false;
  }

  /** The same device visits a shape again. If it is offline, any other device of the target does. */
  private async queueIdOf(targetId: string, deviceId: string | null): Promise<string> {
    return deviceId !== null && (await this.staffing.isOnline(deviceId)) ? deviceId : targetId;
  }

  private async missingBatches(campaign: Campaign): Promise<Map<string, PlannedBatch[]>> {
    const stored = new Map(campaign.targetIds.map((targetId) => [targetId, new Map<number, number>()]));
    for await (const { targetId, batchIndex, recorded } of this.samples.batchCounts(campaign.id)) {
      stored.get(targetId)?.set(batchIndex, recorded);
    }
    const count = batchCount(campaign);
    return new Map(
      [...stored].map(([targetId, recorded]) => {
        const missing: PlannedBatch[] = [];
        for (let index = 0; index < count; index += 1) {
          const batch = plannedBatch(campaign, index);
          if ((recorded.get(index) ?? 0) < batch.specIndexes.length) missing.push(batch);
        }
        return [targetId, missing];
      }),
    );
  }

  /** Whether every slot of a batch has its sample. */
  async isStored(campaign: Campaign, targetId: string, batchIndex: number): Promise<boolean> {
    const { replicate, specIndexes } = plannedBatch(campaign, batchIndex);
    for (const specIndex of specIndexes) {
      const id = sampleId({ campaignId: campaign.id, targetId, specIndex, replicate });
      if ((await this.samples.get(id)) === null) return false;
    }
    return true;
  }

  /** The planned work of a batch. */
  async batch(campaign: Campaign, targetId: string, batchIndex: number): Promise<MeasureJob> {
    const batch = plannedBatch(campaign, batchIndex);
    const specs: SpecsOf = (from, to) => this.campaigns.specs(campaign.id, from, to);
    return jobOf(campaign, targetId, batch, await specsAt(batch.specIndexes, specs));
  }
}

const OPEN_BATCHES = 'open batches';

/** Sorts as the batches do. */
function placeKey({ targetIds }: Campaign, targetId: string, batchIndex: number): string {
  return [targetIds.indexOf(targetId), batchIndex].map((part) => String(part).padStart(9, '0')).join('-');
}

type SpecsOf = (from: number, to: number) => readonly ConvSpec[] | Promise<readonly ConvSpec[]>;

/** The jobs of some batches, in their order. */
async function jobsOf(
  campaign: Campaign,
  targetId: string,
  batches: readonly PlannedBatch[],
  specsOf: SpecsOf,
): Promise<MeasureJob[]> {
  const specs = await specsAt(
    batches.flatMap(({ specIndexes }) => specIndexes),
    specsOf,
  );
  let start = 0;
  return batches.map((batch) => {
    const end = start + batch.specIndexes.length;
    const job = jobOf(campaign, targetId, batch, specs.slice(start, end));
    start = end;
    return job;
  });
}

function jobOf(
  campaign: Campaign,
  targetId: string,
  { batchIndex, replicate, specIndexes }: PlannedBatch,
  specs: readonly ConvSpec[],
): MeasureJob {
  return {
    campaignId: campaign.id,
    targetId,
    batchIndex,
    protocol: campaign.protocol,
    slots: specs.map((spec, i) => ({ specIndex: specIndexes[i] as number, replicate, spec })),
  };
}

/** The specs at some positions, in their order. Adjacent positions are read together. */
async function specsAt(positions: readonly number[], specsOf: SpecsOf): Promise<ConvSpec[]> {
  const specs: ConvSpec[] = [];
  for (let at = 0; at < positions.length;) {
    const from = positions[at] as number;
    let count = 1;
    while (positions[at + count] === from + count) count += 1;
    for (const spec of await specsOf(from, from + count)) specs.push(spec);
    at += count;
  }
  return specs;
}

function byDevice(batches: readonly PlannedBatch[]): Map<string | null, PlannedBatch[]> {
  const groups = new Map<string | null, PlannedBatch[]>();
  for (const batch of batches) {
    const group = groups.get(batch.deviceId);
    if (group === undefined) groups.set(batch.deviceId, [batch]);
    else group.push(batch);
  }
  return groups;
}

function* pagesOf<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += PAGE) yield items.slice(at, at + PAGE);
}
