import type { Campaign, Sample } from '@alphaflops/contracts';
import type { Stores } from '@alphaflops/store';
import {
  buildCampaign,
  buildDeviceClass,
  buildProvenance,
  buildSample,
  buildWorker,
  timeAt,
} from '@alphaflops/store/conformance';
import { openMongoStores } from '@alphaflops/store-mongo';
import { openSqliteStores } from '@alphaflops/store-sqlite';

/** The only campaign of a filled store. */
export const CAMPAIGN = 'c-bench';
/** Samples stored at once. */
export const PART = 5_000;
const BATCH = 100;
/** Number of samples in the newest minute, independent of the total number. */
const RECENT = 5_000;
const HOUR_MS = 3_600_000;

/** A running campaign: all batches except the last one are measured. */
export async function fill(store: string, samples: number): Promise<void> {
  const stores = await (store.startsWith('sqlite:')
    ? openSqliteStores(store.slice('sqlite:'.length))
    : openMongoStores(store));
  try {
    const deviceClass = buildDeviceClass({ id: 'class-a' });
    const { id, record } = buildProvenance();
    await stores.fleet.putWorker(buildWorker(), [], [deviceClass], new Map([[id, record]]));
    const campaign = runningCampaign(samples + BATCH);
    await stores.campaigns.create(campaign);
    await fillSpecs(stores, samples + BATCH);
    await fillSamples(stores, samples);
  } finally {
    await stores.close();
  }
}

function runningCampaign(plannedSpecs: number): Campaign {
  const at = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();
  return buildCampaign({
    ...{ id: CAMPAIGN, state: 'running', plannedSpecs, plannedSlots: plannedSpecs, batchSize: BATCH },
    history: [
      { state: 'draft', at: at(3), reason: 'created' },
      { state: 'planned', at: at(3), reason: 'planned' },
      { state: 'running', at: at(2), reason: 'batches submitted' },
    ],
  });
}

async function fillSpecs(stores: Stores, count: number): Promise<void> {
  const { spec } = buildSample();
  for (let at = 0; at < count; at += PART) {
    const part = Array.from({ length: Math.min(PART, count - at) }, () => spec);
    await stores.campaigns.putSpecs(CAMPAIGN, at, part);
  }
}

async function fillSamples(stores: Stores, count: number): Promise<void> {
  const pattern = buildSample();
  // The newest samples have times in the future, so that the rate counts the same number independent of the run time.
  const recordedAt = (index: number) =>
    index < count - RECENT ? timeAt(index) : new Date(Date.now() + HOUR_MS + index).toISOString();
  for (let at = 0; at < count; at += PART) {
    const part = Array.from({ length: Math.min(PART, count - at) }, (_, i): Sample => {
      const specIndex = at + i;
      const place = { specIndex, batchIndex: Math.floor(specIndex / BATCH), campaignId: CAMPAIGN };
      return { ...pattern, id: `s-${specIndex}`, ...place, recordedAt: recordedAt(specIndex) };
    });
    await stores.samples.record(part, new Map());
  }
}
