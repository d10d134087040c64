import type { Campaign, DeviceClass, Protocol } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { digestOf } from '@alphaflops/provenance';
import { CampaignStore, FleetStore, presenceOf, SampleStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { batchSize, guessedMs, MAX_GUESSED, MAX_SPECS, msPerSpec } from './batch-size.js';
import { CampaignSettings } from './campaign-settings.js';

/** Number of newest campaigns that are searched for one with times, and number of its samples that are read. */
const CAMPAIGNS = 20;
const SAMPLES = 500;
const PAGE = 1_000;

export interface Work {
  readonly deviceClass: DeviceClass;
  readonly targetIds: readonly string[];
  readonly protocol: Protocol;
  readonly specs: readonly ConvSpec[];
  readonly replicates: number;
  /** Milliseconds of one convolution by a model; null without a model. */
  readonly expectedMs: ((spec: ConvSpec) => number) | null;
}

/** Chooses the number of ConvSpecs in a batch. */
@Injectable()
export class BatchSizer {
  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly fleet: FleetStore,
    private readonly settings: CampaignSettings,
  ) {}

  /**
   * The number of specs that last ten seconds, from earlier times on this device class; fewer for a small amount of
   * work.
   */
  async sizeFor(work: Work): Promise<number> {
    if (this.settings.batchSpecs !== null) return this.settings.batchSpecs;
    const { deviceClass, targetIds, protocol, specs, replicates, expectedMs } = work;
    const measured = await this.measuredMs(deviceClass.id, protocol);
    const devices = targetIds.includes(deviceClass.id) ? await this.onlineDevices(deviceClass.id) : 1;
    return batchSize({
      specMs: measured ?? guessedMs(specs, protocol, expectedMs),
      mostSpecs: measured === null ? MAX_GUESSED : MAX_SPECS,
      slotsPerDevice: (specs.length * replicates) / Math.max(1, devices),
    });
  }

  /** Milliseconds from one spec to the next in the newest campaign of the class that used this protocol. */
  private async measuredMs(deviceClassId: string, protocol: Protocol): Promise<number | null> {
    const { items } = await this.campaigns.list({ deviceClassId }, { limit: CAMPAIGNS });
    const isSame = ({ protocol: used }: Campaign) => digestOf(used) === digestOf(protocol);
    for (const campaign of items.filter(isSame)) {
      const page = await this.samples.list({ campaignId: campaign.id }, { limit: SAMPLES });
      const found = msPerSpec(page.items);
      if (found !== null) return found;
    }
    return null;
  }

  private async onlineDevices(deviceClassId: string): Promise<number> {
    const online = new Set<string>();
    for await (const worker of all((cursor) => this.fleet.workers({ limit: PAGE, cursor }))) {
      if (presenceOf(worker, this.settings, Date.now()) === 'online') online.add(worker.id);
    }
    let count = 0;
    for await (const { workerId } of all((cursor) =>
      this.fleet.devices({ deviceClassId }, { limit: PAGE, cursor }),
    )) {
      if (online.has(workerId)) count += 1;
    }
    return count;
  }
}

async function* all<T>(
  pageAfter: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor: string | null }>,
): AsyncIterable<T> {
  let cursor: string | undefined;
  do {
    const page = await pageAfter(cursor);
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
