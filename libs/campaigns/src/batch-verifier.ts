import { randomInt } from 'node:crypto';
import {
  implausibleTime,
  type MeasureJob,
  MeasureJobSchema,
  type MeasureResult,
  type Sample,
} from '@alphaflops/contracts';
import { measureJobOf, type Settled } from '@alphaflops/queue';
import {
  batchDigest,
  CampaignStore,
  FleetStore,
  isSealedBy,
  isSignedBy,
  openResult,
} from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { batchCount } from './batches.js';
import { Dispatcher } from './dispatcher.js';
import { samplesOf, samplesOfFailure } from './samples.js';

export type Verdict =
  /** `result`: what a worker has brought; null when the batch failed. */
  | { kind: 'accepted'; job: MeasureJob; samples: Sample[]; result: MeasureResult | null }
  /** What came is not to be believed; `samples` is how the batch ends if it is not measured again. */
  | { kind: 'refused'; reason: string; workerId: string | null; job: MeasureJob; samples: Sample[] }
  /** No batch of ours. */
  | { kind: 'foreign'; reason: string };

type Answered = Extract<Settled<'measure'>, { ok: true }>;

/**
 * The signature of a batch vouches for what is stored; those of its samples are for whoever has a part of the data. So
 * many of them are checked of each batch, drawn by chance, so that a worker that signs its samples wrongly is found.
 */
const SAMPLES_DRAWN = 4;

/**
 * Tells what may be stored of a settled batch. Every worker of a target can write to its queue in Redis, so nothing
 * there is believed by itself: what was to be measured comes from the store, and what came of it has to be signed by
 * the worker that it names, before it is so much as unpacked. docs/decisions/0011-sealed-batches.md.
 */
@Injectable()
export class BatchVerifier {
  constructor(
    private readonly campaigns: CampaignStore,
    private readonly fleet: FleetStore,
    private readonly dispatcher: Dispatcher,
  ) {}

  async verify(targetId: string, settled: Settled<'measure'>): Promise<Verdict> {
    const { jobId, attempts } = settled;
    const place = measureJobOf(jobId);
    const campaign = await this.campaigns.get(place?.campaignId ?? '');
    if (
      place === null ||
      campaign?.targetIds.includes(targetId) !== true ||
      place.batchIndex >= batchCount(campaign)
    ) {
      return { kind: 'foreign', reason: `${jobId} is no batch of a campaign here` };
    }
    const job = await this.dispatcher.batch(campaign, targetId, place.batchIndex);
    const now = new Date().toISOString();
    const ended = (reason: string) => samplesOfFailure(job, campaign.deviceClassId, attempts, reason, now);
    const refused = (reason: string, workerId: string | null): Verdict => {
      return { kind: 'refused', reason, workerId, job, samples: ended(reason) };
    };
    if (!settled.ok) {
      if (settled.isMalformed) return refused(settled.reason, null);
      if (!isAsPlanned(settled.payload, job)) return refused('the batch was changed in the queue', null);
      return { kind: 'accepted', job, samples: ended(settled.reason), result: null };
    }
    const measured = await this.measured(job, settled, now);
    if (typeof measured === 'string') return refused(measured, settled.result.workerId);
    return { kind: 'accepted', job, ...measured };
  }

  /** The result and its samples, or why they are not to be believed. */
  private async measured(
    job: MeasureJob,
    { result: sealed, attempts }: Answered,
    now: string,
  ): Promise<{ result: MeasureResult; samples: Sample[] } | string> {
    const { workerId, deviceId, attempt } = sealed;
    const worker = await this.fleet.worker(workerId);
    const publicKey = worker?.publicKey ?? null;
    if (worker === null || publicKey === null) return `${workerId} is no worker with a signing key`;
    if (worker.desiredState === 'revoked') return `${workerId} is revoked`;
    const device = await this.fleet.device(deviceId);
    if (device === null || !worker.deviceIds.includes(deviceId)) {
      return `${deviceId} is no device of ${workerId}`;
    }
    if (![device.id, device.deviceClassId].includes(job.targetId)) {
      return `it was measured on ${deviceId}, which is not what it was for`;
    }
    if (attempt !== attempts) return `it is of attempt ${attempt}, and this is attempt ${attempts}`;
    if (sealed.signature === null) return 'it is not signed';
    if (sealed.batchDigest !== batchDigest(job)) {
      return 'it is of another batch, or the batch was changed in the queue';
    }
    if (!(await isSealedBy(sealed, publicKey))) {
      return `it is not signed by ${workerId} for this batch, attempt and device`;
    }
    let result: MeasureResult;
    try {
      result = await openResult(sealed);
    } catch (error) {
      return `it is malformed (${error instanceof Error ? error.message : String(error)})`;
    }
    const samples = samplesOf(job, result, device, now);
    for (const { spec, specIndex, timing } of samples) {
      const problem = timing === null ? null : implausibleTime(spec, timing.timeMinMs ?? timing.timeMs);
      if (problem !== null) return `the time of spec ${specIndex} in it cannot be true: ${problem}`;
    }
    // What the worker left out is an outcome of ours.
    const signed = samples.filter(({ signature }) => signature !== null);
    for (const sample of drawnFrom(signed, SAMPLES_DRAWN)) {
      if (await isSignedBy(sample, publicKey)) continue;
      return `spec ${sample.specIndex} in it is not signed by ${workerId} for this batch, attempt and device`;
    }
    return { result, samples };
  }
}

function isAsPlanned(payload: unknown, job: MeasureJob): boolean {
  const given = MeasureJobSchema.safeParse(payload);
  return given.success && batchDigest(given.data) === batchDigest(job);
}

function drawnFrom<T>(items: readonly T[], count: number): T[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(randomInt(left.length), 1),
  ).flat();
}
