import { randomUUID } from 'node:crypto';
import type { MeasureJob } from '@alphaflops/contracts';
import { measureJobId, type Settled } from '@alphaflops/queue';
import { AuditStore, provenanceId, SampleStore } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { BatchVerifier, type Verdict } from './batch-verifier.js';
import { Drift } from './drift.js';
import { RecordingMetrics } from './recording-metrics.js';
import { TargetQueues } from './target-queues.js';

/** A batch whose results were refused this often is not handed out again. */
const MOST_REFUSALS = 3;

type Judged = Exclude<Verdict, { kind: 'foreign' }>;

/** Writes settled batches to the store; a batch leaves the queue only after that. */
@Injectable()
export class Recorder {
  private readonly logger = new Logger('recorder');
  private readonly sweeping = new Map<string, Promise<void>>();
  private readonly waiting = new Map<string, Promise<void>>();
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

  /** One sweep per target at a time: all who come while one runs wait for it and then share the next. */
  private sweep(targetId: string, recorded: (campaignId: string) => Promise<void>): Promise<void> {
    const waiting = this.waiting.get(targetId);
    if (waiting !== undefined) return waiting;
    const running = this.sweeping.get(targetId) ?? Promise.resolve();
    const next = running
      .catch(() => undefined)
      .then(() => {
        this.waiting.delete(targetId);
        this.sweeping.set(targetId, next);
        return this.sweepOnce(targetId, recorded);
      })
      .finally(() => {
        if (this.sweeping.get(targetId) === next) this.sweeping.delete(targetId);
      });
    this.waiting.set(targetId, next);
    return next;
  }

  private async sweepOnce(targetId: string, recorded: (campaignId: string) => Promise<void>): Promise<void> {
    const touched = new Set<string>();
    const again: MeasureJob[] = [];
    const queue = this.queues.of(targetId);
    await queue.collect(async (settled) => {
      const verdict = await this.verifier.verify(targetId, settled);
      if (verdict.kind === 'foreign') {
        this.logger.warn(`Dropped a job: ${verdict.reason}.`);
      } else if (await this.record(settled, verdict)) touched.add(verdict.job.campaignId);
      else again.push(verdict.job);
    });
    // If this is not reached, the keeper finds that these batches are missing.
    await queue.submit(again.map((payload) => ({ id: measureJobId(payload), payload })));
    for (const campaignId of touched) await recorded(campaignId);
  }

  /** False when the batch has to be measured again. */
  private async record(settled: Settled<'measure'>, verdict: Judged): Promise<boolean> {
    if (verdict.kind === 'refused' && (await this.refuse(verdict)) < MOST_REFUSALS) return false;
    const { job, samples } = verdict;
    const result = verdict.kind === 'accepted' ? verdict.result : null;
    const provenance = result === null ? [] : [[provenanceId(result.provenance), result.provenance] as const];
    const stored = await this.samples.record(samples, new Map(provenance));
    this.metrics.recorded(settled, samples, stored);
    this.refusals.delete(settled.jobId);
    this.logger.debug('recorded', {
      campaign: job.campaignId,
      batch: job.batchIndex,
      worker: settled.ok ? settled.result.workerId : null,
      ...stored,
    });
    if (result !== null) await this.drift.judge(result);
    return true;
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
