import { randomUUID } from 'node:crypto';
import type { Campaign, FitJob, FitRequest, FitResult, FitState } from '@alphaflops/contracts';
import { notFound } from '@alphaflops/http/problem';
import { JobConsumer, JobQueue, QueueConnection } from '@alphaflops/queue';
import { AuditStore, FleetStore } from '@alphaflops/store';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { FitMetrics } from './fit-metrics.js';
import { FitRunner } from './fit-runner.js';

/** Settings of the deployment that fits need. */
export abstract class FitSettings {
  /** Whether this process runs fits. */
  abstract readonly fits: boolean;
}

interface FailedFit {
  readonly ok: false;
  readonly reason: string;
}

/** Time for which the result of a fit is available. */
const KEEP_SETTLED_S = 24 * 3600;

/** Fits are requested here. A process with the role runs them. */
@Injectable()
export class FitsService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('fits');
  private opened: JobQueue<'fit'> | null = null;
  private consumer: JobConsumer<'fit'> | null = null;

  constructor(
    private readonly settings: FitSettings,
    private readonly connection: QueueConnection,
    private readonly runner: FitRunner,
    private readonly fleet: FleetStore,
    private readonly audit: AuditStore,
    private readonly metrics: FitMetrics,
  ) {}

  private get queue(): JobQueue<'fit'> {
    this.opened ??= new JobQueue('fit', this.connection, { keepSettledS: KEEP_SETTLED_S });
    return this.opened;
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.settings.fits) return;
    this.consumer = new JobConsumer('fit', this.connection.address, (job) => this.fit(job), {
      onError: (error) => {
        this.logger.warn(error.message);
      },
    });
    await this.consumer.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.consumer?.finish();
    await this.opened?.close();
  }

  async requestForDeviceClass(deviceClassId: string, request: FitRequest): Promise<FitState> {
    if ((await this.fleet.deviceClass(deviceClassId)) === null) throw notFound('device class', deviceClassId);
    const id = `fit-${randomUUID()}`;
    await this.queue.submit([{ id, payload: { id, deviceClassId, campaignId: null, request } }]);
    return this.state(id);
  }

  /** The fit of a campaign that is in state `fitting`. Safe to repeat. @returns its result; null while it is running */
  async requestForCampaign(campaign: Campaign): Promise<({ ok: true } & FitResult) | FailedFit | null> {
    const id = `fit-${campaign.id}`;
    const known = await this.queue.state(id);
    if (known?.state === 'settled') {
      const { settled } = known;
      return settled.ok ? { ok: true, ...settled.result } : settled;
    }
    if (known !== null) return null;
    const { deviceClassId, request } = campaign;
    await this.queue.submit([
      { id, payload: { deviceClassId, campaignId: campaign.id, request: request.fit } },
    ]);
    return null;
  }

  async state(id: string): Promise<FitState> {
    const known = await this.queue.state(id);
    if (known === null) throw notFound('fit', id);
    if (known.state !== 'settled') return { id, state: known.state, modelId: null, reason: null };
    const { settled } = known;
    return settled.ok
      ? {
          id,
          state: 'completed',
          modelId: settled.result.modelId,
          reason: settled.result.candidateReason ?? null,
        }
      : { id, state: 'failed', modelId: null, reason: settled.reason };
  }

  private async fit(job: FitJob): Promise<FitResult> {
    const model = await this.metrics.timed(() => this.runner.run(job));
    const modelId = model.id ?? '';
    const candidateReason = model.status === 'candidate' ? model.statusReason : null;
    await this.audit.append({
      // A model that is published again, after a crash, is the same model and the same entry.
      id: `published-${modelId}`,
      at: new Date().toISOString(),
      actor: { kind: 'system', tokenId: null, name: 'fit' },
      action: candidateReason === null ? 'models.publish' : 'models.keep-back',
      targetId: modelId,
      status: null,
      requestId: null,
      address: null,
    });
    return { modelId, ...(candidateReason !== null && { candidateReason }) };
  }
}
