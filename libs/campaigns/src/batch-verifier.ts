import { randomInt } from 'node:crypto';
import {
  type Campaign,
  implausibleTime,
  type MeasureJob,
  type MeasureResult,
  type Sample,
} from '@alphaflops/contracts';
import { type Broken, type Delivery, measureJobOf } from '@alphaflops/queue';
import { batchDigest, isSealedBy, isSignedBy, openResult } from '@alphaflops/provenance';
import { CampaignStore, FleetStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { batchCount } from './batches.js';
import { Dispatcher } from './dispatcher.js';
import { samplesOf, samplesOfFailure } from './samples.js';

/** A batch of a campaign, for one of its targets. */
export interface Batch {
  readonly campaign: Campaign;
  readonly targetId: string;
  readonly batchIndex: number;
}

export type Verdict =
  | { kind: 'accepted'; job: MeasureJob; samples: Sample[]; result: MeasureResult }
  /** The result is refused. `samples` are the samples of the batch if it is not measured again. */
  | { kind: 'refused'; job: MeasureJob; samples: Sample[]; reason: string };

/**
 * The signature of a batch proves the origin of the stored samples. The signatures of single samples are for users with a part
 * of the data. This number of them, chosen at random, is checked in each batch, to find a worker that signs samples wrongly.
 */
const SAMPLES_DRAWN = 4;

/**
 * Decides which parts of a batch result may be stored. It trusts no unverified data from a worker: the planned work
 * comes from the store, and it checks the worker's signature of the result before it unpacks the result.
 * docs/decisions/0011-sealed-batches.md.
 */
@Injectable()
export class BatchVerifier {
  constructor(
    private readonly campaigns: CampaignStore,
    private readonly fleet: FleetStore,
    private readonly dispatcher: Dispatcher,
  ) {}

  /** The batch of a job in the queue of a target; null if it does not belong to a campaign of this deployment. */
  async batchOf({ targetId, id }: Pick<Broken, 'targetId' | 'id'>): Promise<Batch | null> {
    const place = measureJobOf(id);
    const campaign = place === null ? null : await this.campaigns.get(place.campaignId);
    if (place === null || campaign === null) return null;
    const target = targetOf(campaign, targetId);
    const { batchIndex } = place;
    if (target === null || batchIndex >= batchCount(campaign)) return null;
    return { campaign, targetId: target, batchIndex };
  }

  async isStored({ campaign, targetId, batchIndex }: Batch): Promise<boolean> {
    return await this.dispatcher.isStored(campaign, targetId, batchIndex);
  }

  async verify({ campaign, targetId, batchIndex }: Batch, delivery: Delivery<'measure'>): Promise<Verdict> {
    const job = await this.dispatcher.batch(campaign, targetId, batchIndex);
    const now = new Date().toISOString();
    const measured = await this.measured(job, delivery, now);
    if (typeof measured !== 'string') return { kind: 'accepted', job, ...measured };
    const { attempt } = delivery.lease;
    const samples = samplesOfFailure(job, campaign.deviceClassId, attempt, measured, now);
    return { kind: 'refused', job, samples, reason: measured };
  }

  /** The samples of a batch that no worker finished. */
  async failed({ campaign, targetId, batchIndex }: Batch, { attempt, reason }: Broken): Promise<Sample[]> {
    const job = await this.dispatcher.batch(campaign, targetId, batchIndex);
    return samplesOfFailure(job, campaign.deviceClassId, attempt, reason, new Date().toISOString());
  }

  /** The result and its samples, or the reason for a refusal. */
  private async measured(
    job: MeasureJob,
    { workerId, lease, result: seal, body }: Delivery<'measure'>,
    now: string,
  ): Promise<{ result: MeasureResult; samples: Sample[] } | string> {
    const { deviceId, attempt } = seal;
    if (seal.workerId !== workerId) return `it names worker ${seal.workerId}, but ${workerId} sent it`;
    const worker = await this.fleet.worker(workerId);
    const publicKey = worker?.publicKey ?? null;
    if (worker === null || publicKey === null) return `${workerId} has no signing key`;
    if (worker.desiredState === 'revoked') return `${workerId} is revoked`;
    const device = await this.fleet.device(deviceId);
    if (device === null || !worker.deviceIds.includes(deviceId)) {
      return `${deviceId} is not a device of ${workerId}`;
    }
    if (![device.id, device.deviceClassId].includes(job.targetId)) {
      return `it was measured on ${deviceId}, but the batch is for another target`;
    }
    if (attempt !== lease.attempt) {
      return `it belongs to attempt ${attempt}, but the lease belongs to attempt ${lease.attempt}`;
    }
    if (seal.batchDigest !== batchDigest(job)) return 'it belongs to another batch';
    if (!(await isSealedBy({ seal, body }, publicKey))) {
      return `it is not signed by ${workerId} for this batch, attempt and device`;
    }
    let result: MeasureResult;
    try {
      result = await openResult({ seal, body });
    } catch (error) {
      return `it is malformed (${error instanceof Error ? error.message : String(error)})`;
    }
    const samples = samplesOf(job, result, device, now);
    for (const { spec, specIndex, timing } of samples) {
      const problem = timing === null ? null : implausibleTime(spec, timing.timeMinMs ?? timing.timeMs);
      if (problem !== null) return `the time of spec ${specIndex} is impossible: ${problem}`;
    }
    // A spec without a result gets an outcome from the coordinator.
    const signed = samples.filter(({ signature }) => signature !== null);
    for (const sample of drawnFrom(signed, SAMPLES_DRAWN)) {
      if (await isSignedBy(sample, publicKey)) continue;
      return `spec ${sample.specIndex} in it is not signed by ${workerId} for this batch, attempt and device`;
    }
    return { result, samples };
  }
}

/** The target of the batches in a queue. The queue belongs to the target, or to one device that visits shapes again. */
function targetOf({ targetIds, repeats }: Campaign, queueId: string): string | null {
  if (targetIds.includes(queueId)) return queueId;
  const isOfRevisit = repeats?.revisits.some(({ deviceId }) => deviceId === queueId) === true;
  return isOfRevisit ? (targetIds[0] ?? null) : null;
}

function drawnFrom<T>(items: readonly T[], count: number): T[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(randomInt(left.length), 1),
  ).flat();
}
