import type { Campaign, MeasureJob, Page, PageQuery } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { measureJobId } from '@alphaflops/queue';
import { CampaignStore, decodeCursor, pageFrom, SampleStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { batchCount, type BatchRange, batchRange } from './batches.js';
import { sampleId } from './samples.js';
import { TargetQueues } from './target-queues.js';

/** Batches submitted in one go; bounds memory. */
const PAGE = 500;
/** Pages on their way at the same time: while Redis takes one, the next is read. */
const LANES = 2;

/** Brings the queues in line with the store: what is planned and not yet stored is work to do. */
@Injectable()
export class Dispatcher {
  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly queues: TargetQueues,
  ) {}

  /**
   * Submits every batch that is not stored in full. Safe to repeat: batches have fixed ids, slots are stored once.
   * @param planned the specs of the campaign, where they are at hand; else they are read
   */
  async submitMissing(campaign: Campaign, planned?: readonly ConvSpec[]): Promise<void> {
    const specs: SpecsOf = (from, to) =>
      planned?.slice(from, to) ?? this.campaigns.specs(campaign.id, from, to);
    for (const [targetId, missing] of await this.missingBatches(campaign)) {
      const pages = pagesOf(missing);
      const lane = async () => {
        for (const page of pages) {
          const batches = await batchesOf(campaign, targetId, page, specs);
          await this.queues
            .of(targetId)
            .submit(batches.map((payload) => ({ id: measureJobId(payload), payload })));
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    }
  }

  /** Takes back what no worker has begun. */
  async withdraw(campaign: Campaign): Promise<void> {
    for (const [targetId, missing] of await this.missingBatches(campaign)) {
      const ids = missing.map((batchIndex) => measureJobId({ campaignId: campaign.id, batchIndex }));
      await this.queues.of(targetId).withdraw(ids);
    }
  }

  /** Batches that are not stored in full, by target and number. */
  async openBatches(campaign: Campaign, { cursor, limit }: PageQuery): Promise<Page<MeasureJob>> {
    const missing = await this.missingBatches(campaign);
    const open = [...missing].flatMap(([targetId, indexes]) =>
      indexes.map((batchIndex) => ({ targetId, batchIndex, id: placeKey(campaign, targetId, batchIndex) })),
    );
    const after = cursor === undefined ? '' : decodeCursor(OPEN_BATCHES, cursor);
    const { items, nextCursor } = pageFrom(
      OPEN_BATCHES,
      // Batches that have been stored since are not in the list any more: a place, not an item, is looked up.
      open.filter(({ id }) => id > after).slice(0, limit + 1),
      limit,
    );
    const jobs: MeasureJob[] = [];
    for (const { targetId, batchIndex } of items) jobs.push(await this.batch(campaign, targetId, batchIndex));
    return { items: jobs, nextCursor };
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

  /** Whether every slot of a batch has its sample. */
  async isStored(campaign: Campaign, targetId: string, batchIndex: number): Promise<boolean> {
    const { replicate, from, to } = batchRange(campaign, batchIndex);
    for (let specIndex = from; specIndex < to; specIndex += 1) {
      const id = sampleId({ campaignId: campaign.id, targetId, specIndex, replicate });
      if ((await this.samples.get(id)) === null) return false;
    }
    return true;
  }

  /** What there is to measure in a batch, as planned. */
  async batch(campaign: Campaign, targetId: string, batchIndex: number): Promise<MeasureJob> {
    const range = batchRange(campaign, batchIndex);
    const specs = await this.campaigns.specs(campaign.id, range.from, range.to);
    return jobOf(campaign, targetId, range, specs);
  }
}

const OPEN_BATCHES = 'open batches';

/** Sorts as the batches do. */
function placeKey({ targetIds }: Campaign, targetId: string, batchIndex: number): string {
  return [targetIds.indexOf(targetId), batchIndex].map((part) => String(part).padStart(9, '0')).join('-');
}

type SpecsOf = (from: number, to: number) => readonly ConvSpec[] | Promise<readonly ConvSpec[]>;

/** Some of the batches in their order; the specs of neighbours are asked for in one go. */
async function batchesOf(
  campaign: Campaign,
  targetId: string,
  indexes: readonly number[],
  specsOf: SpecsOf,
): Promise<MeasureJob[]> {
  const jobs: MeasureJob[] = [];
  for (const run of neighbours(indexes.map((index) => batchRange(campaign, index)))) {
    const start = run[0]?.from ?? 0;
    const specs = await specsOf(start, run.at(-1)?.to ?? 0);
    for (const range of run) {
      jobs.push(jobOf(campaign, targetId, range, specs.slice(range.from - start, range.to - start)));
    }
  }
  return jobs;
}

function jobOf(
  campaign: Campaign,
  targetId: string,
  { batchIndex, replicate, from }: BatchRange,
  specs: readonly ConvSpec[],
): MeasureJob {
  return {
    campaignId: campaign.id,
    targetId,
    batchIndex,
    protocol: campaign.protocol,
    slots: specs.map((spec, i) => ({ specIndex: from + i, replicate, spec })),
  };
}

function* pagesOf(indexes: readonly number[]): Generator<number[]> {
  for (let at = 0; at < indexes.length; at += PAGE) yield indexes.slice(at, at + PAGE);
}

/** Cut wherever one batch does not begin where the one before it ends. */
function neighbours(ranges: readonly BatchRange[]): BatchRange[][] {
  const runs: BatchRange[][] = [];
  for (const range of ranges) {
    const run = runs.at(-1);
    if (run?.at(-1)?.to === range.from) run.push(range);
    else runs.push([range]);
  }
  return runs;
}
