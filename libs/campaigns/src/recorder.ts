import type { MeasureResult, Provenance } from '@alphaflops/contracts';
import { type Broken, type Delivery, LeaseDesk, type Recorded, type WorkHandler } from '@alphaflops/queue';
import { provenanceId } from '@alphaflops/provenance';
import { SampleStore } from '@alphaflops/store';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { BatchVerifier } from './batch-verifier.js';
import { Completion } from './completion.js';
import { Drift } from './drift.js';
import { RecordingMetrics } from './recording-metrics.js';
import { Refusals } from './refusals.js';

type Place = Pick<Broken, 'targetId' | 'id'>;

/** Writes the results of batches to the store. A repeated call has no further effect: each slot is stored once. */
@Injectable()
export class Recorder implements WorkHandler<'measure'>, OnModuleInit {
  private readonly logger = new Logger('recorder');

  constructor(
    private readonly samples: SampleStore,
    private readonly verifier: BatchVerifier,
    private readonly refusals: Refusals,
    private readonly drift: Drift,
    private readonly metrics: RecordingMetrics,
    private readonly completion: Completion,
    private readonly desk: LeaseDesk,
  ) {}

  onModuleInit(): void {
    this.desk.handle('measure', this);
  }

  async isDone(place: Place): Promise<boolean> {
    const batch = await this.verifier.batchOf(place);
    if (batch === null) return true;
    if (['cancelled', 'failed', 'completed'].includes(batch.campaign.state)) return true;
    return await this.verifier.isStored(batch);
  }

  async record(delivery: Delivery<'measure'>): Promise<Recorded> {
    const { lease, standing, receivedAtMs } = delivery;
    const batch = await this.verifier.batchOf(lease);
    if (batch === null) {
      return { kind: 'refused', reason: `${lease.id} is not a batch of a campaign here`, again: false };
    }
    // A worker without its lease may only have lost the answer to its result.
    if (standing !== 'held' && (await this.isDone(lease))) return { kind: 'stored' };
    const verdict = await this.verifier.verify(batch, delivery);
    if (verdict.kind === 'refused') {
      const { reason } = verdict;
      const again = await this.refusals.add(lease, delivery.workerId, reason);
      // Only the holder of a batch can invalidate it.
      if (!again && standing === 'held') {
        const stored = await this.samples.record(verdict.samples, new Map());
        this.metrics.recorded({ ok: false, receivedAtMs }, verdict.samples, stored);
        this.ended(lease, batch.campaign.id);
      }
      return { kind: 'refused', reason, again };
    }
    const { job, samples, result } = verdict;
    const stored = await this.samples.record(samples, provenanceOf(result));
    this.metrics.recorded({ ok: true, receivedAtMs }, samples, stored);
    this.logger.debug('recorded', {
      campaign: job.campaignId,
      batch: job.batchIndex,
      worker: delivery.workerId,
      ...stored,
    });
    await this.drift.judge(result);
    this.ended(lease, job.campaignId);
    return { kind: 'stored' };
  }

  async recordFailure(broken: Broken): Promise<void> {
    const batch = await this.verifier.batchOf(broken);
    if (batch === null) return;
    const samples = await this.verifier.failed(batch, broken);
    const stored = await this.samples.record(samples, new Map());
    this.metrics.recorded({ ok: false, receivedAtMs: Date.now() }, samples, stored);
    this.ended(broken, batch.campaign.id);
  }

  private ended(place: Place, campaignId: string): void {
    this.refusals.forget(place);
    this.completion.check(campaignId);
  }
}

function provenanceOf({ provenance }: MeasureResult): Map<string, Provenance> {
  return new Map([[provenanceId(provenance), provenance]]);
}
