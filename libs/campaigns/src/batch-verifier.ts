import {
  type Campaign,
  type MeasureJob,
  MeasureJobSchema,
  type MeasureResult,
  type Provenance,
  type Sample,
} from '@alphaflops/contracts';
import { measureJobId, type Settled } from '@alphaflops/queue';
import { CampaignStore, FleetStore, isSignedBy, provenanceId } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { batchCount } from './batches.js';
import { Dispatcher } from './dispatcher.js';
import { samplesOf, samplesOfFailure } from './samples.js';

export type Verdict =
  | { kind: 'accepted'; samples: Sample[]; provenance: ReadonlyMap<string, Provenance> }
  /** What came is not to be believed; `samples` is how the batch ends if it is not measured again. */
  | { kind: 'refused'; reason: string; workerId: string | null; job: MeasureJob; samples: Sample[] }
  /** No batch of ours. */
  | { kind: 'foreign'; reason: string };

type Result = Extract<Settled<'measure'>, { ok: true }>;

/**
 * Tells what may be stored of a settled batch. Every worker of a target can write to its queue in Redis, so nothing
 * there is believed by itself: what was to be measured comes from the store, and what came of it has to be signed by
 * the worker that it names. docs/decisions/0005-signed-samples.md.
 */
@Injectable()
export class BatchVerifier {
  constructor(
    private readonly campaigns: CampaignStore,
    private readonly fleet: FleetStore,
    private readonly dispatcher: Dispatcher,
  ) {}

  async verify(targetId: string, settled: Settled<'measure'>): Promise<Verdict> {
    const { payload, jobId } = settled;
    if (payload.targetId !== targetId || measureJobId(payload) !== jobId) {
      return { kind: 'foreign', reason: `the job ${jobId} of ${targetId} is of another batch` };
    }
    const campaign = await this.campaigns.get(payload.campaignId);
    if (campaign?.targetIds.includes(targetId) !== true || payload.batchIndex >= batchCount(campaign)) {
      return { kind: 'foreign', reason: `${jobId} is no batch of a campaign here` };
    }
    const planned = await this.dispatcher.batch(campaign, targetId, payload.batchIndex);
    const job = MeasureJobSchema.parse(planned);
    const now = new Date().toISOString();
    const ended = (attempts: number, reason: string) =>
      samplesOfFailure(job, campaign.deviceClassId, attempts, reason, now);
    const refused = (attempts: number, reason: string, workerId: string | null): Verdict => {
      return { kind: 'refused', reason, workerId, job, samples: ended(attempts, reason) };
    };

    // Both have come out of the same schema, which puts the keys into its own order.
    if (JSON.stringify(payload) !== JSON.stringify(job)) {
      const named = settled.ok ? settled.result.workerId : null;
      return refused(settled.attempts, 'the batch was changed in the queue', named);
    }
    if (!settled.ok) {
      const samples = ended(settled.attempts, settled.reason);
      return { kind: 'accepted', samples, provenance: new Map() };
    }
    const { result } = settled;
    const measured = await this.measured(campaign, job, settled, now);
    if (typeof measured === 'string') return refused(result.attempt, measured, result.workerId);
    const provenance = new Map([[provenanceId(result.provenance), result.provenance]]);
    return { kind: 'accepted', samples: measured, provenance };
  }

  /** The samples, or why they are not to be believed. */
  private async measured(
    campaign: Campaign,
    job: MeasureJob,
    { result, attempts }: Result,
    now: string,
  ): Promise<Sample[] | string> {
    const { workerId, deviceId, attempt } = result;
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
    if (isUnsigned(result)) return 'it is not signed';
    const samples = samplesOf(job, result, device, now);
    const isGood = await Promise.all(
      samples.map((sample) =>
        // What the worker left out is an outcome of ours.
        sample.signature === null ? Promise.resolve(true) : isSignedBy(sample, publicKey),
      ),
    );
    const forged = samples[isGood.indexOf(false)];
    if (forged !== undefined) {
      return `spec ${forged.specIndex} is not signed by ${workerId} for this batch, attempt and device`;
    }
    return samples;
  }
}

function isUnsigned({ results }: MeasureResult): boolean {
  return results.some(({ signature }) => signature === null);
}
