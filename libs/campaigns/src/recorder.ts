import { randomUUID } from 'node:crypto';
import type { MeasureJob } from '@alphaflops/contracts';
import { measureJobId, type Settled } from '@alphaflops/queue';
import { AuditStore, SampleStore } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { BatchVerifier, type Verdict } from './batch-verifier.js';
import { Drift } from './drift.js';
import { RecordingMetrics } from './recording-metrics.js';
import { TargetQueues } from './target-queues.js';

/** A batch whose results were refused this often is not handed out again. */
const MOST_REFUSALS = 3;

/** Writes settled batches to the store; a batch leaves the queue only after that. */
@Injectable()
export class Recorder {
  private readonly logger = new Logger('recorder');
  private readonly sweeping = new Map<string, Promise<void>>();
  private readonly watched = new Set<string>();
  /** How often the results of a batch were refused since this process started. */
  private readonly refusals = new Map<string, number>();

  constructor(
    private readonly samples: SampleStore,
    private readonly queues: TargetQueues,
    private readonly verifier: BatchVerifier,
    private readonly audit: AuditStore,
    private readonly drift: Drift,
    private readonly metrics: RecordingMetrics,
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
        const again: MeasureJob[] = [];
        const queue = this.queues.of(targetId);
        await queue.collect(async (settled) => {
          const refused = await this.record(targetId, settled);
          if (refused === null) touched.add(settled.payload.campaignId);
          else again.push(refused);
        });
        // If this is not reached, the keeper finds that these batches are missing.
        await queue.submit(again.map((payload) => ({ id: measureJobId(payload), payload })));
        for (const campaignId of touched) await recorded(campaignId);
      });
    this.sweeping.set(targetId, next);
    try {
      await next;
    } finally {
      if (this.sweeping.get(targetId) === next) this.sweeping.delete(targetId);
    }
  }

  /** Returns the batch when it has to be measured again. */
  private async record(targetId: string, settled: Settled<'measure'>): Promise<MeasureJob | null> {
    const verdict = await this.verifier.verify(targetId, settled);
    if (verdict.kind === 'foreign') {
      this.logger.warn(`Dropped a job: ${verdict.reason}.`);
      return null;
    }
    if (verdict.kind === 'refused' && (await this.refuse(verdict)) < MOST_REFUSALS) return verdict.job;
    const { campaignId, batchIndex } = settled.payload;
    const provenance = verdict.kind === 'accepted' ? verdict.provenance : new Map<string, never>();
    const stored = await this.samples.record(verdict.samples, provenance);
    this.metrics.recorded(settled, verdict.samples, stored);
    this.refusals.delete(settled.jobId);
    this.logger.debug('recorded', {
      campaign: campaignId,
      batch: batchIndex,
      worker: settled.ok ? settled.result.workerId : null,
      ...stored,
    });
    if (verdict.kind === 'accepted' && settled.ok) await this.drift.judge(settled.result);
    return null;
  }

  /** Says so where operators and admins look; returns how often it happened to this batch. */
  private async refuse({ reason, workerId, job }: Extract<Verdict, { kind: 'refused' }>): Promise<number> {
    const id = measureJobId(job);
    const times = (this.refusals.get(id) ?? 0) + 1;
    this.refusals.set(id, times);
    this.logger.warn(`Refused results: ${reason}.`, {
      campaign: job.campaignId,
      batch: job.batchIndex,
      worker: workerId ?? 'unknown',
      times,
    });
    await this.audit.append({
      id: `audit-${randomUUID()}`,
      at: new Date().toISOString(),
      actor: { kind: 'system', tokenId: null, name: `results that name ${workerId ?? 'no worker'}` },
      action: 'samples.refuse',
      targetId: id,
      status: 403,
      requestId: null,
      address: null,
    });
    return times;
  }
}
