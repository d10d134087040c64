import { randomUUID } from 'node:crypto';
import type { Campaign, FitJob, FitRequest, FitResult, FitState } from '@alphaflops/contracts';
import { notFound } from '@alphaflops/http';
import { JobConsumer, JobQueue, QueueConnection } from '@alphaflops/queue';
import { AuditStore, CampaignStore, FleetStore, StoreError } from '@alphaflops/store';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { FitMetrics } from './fit-metrics.js';
import { FitRunner } from './fit-runner.js';

/** What fitting needs to know of the deployment. */
export abstract class FitSettings {
  /** This process fits. */
  abstract readonly fits: boolean;
}

/** How long the end of a fit can be asked for. */
const KEEP_SETTLED_S = 24 * 3600;

/** Fits are asked for here and done by whichever process has the role. */
@Injectable()
export class FitsService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('fits');
  private opened: JobQueue<'fit'> | null = null;
  private consumer: JobConsumer<'fit'> | null = null;

  constructor(
    private readonly settings: FitSettings,
    private readonly connection: QueueConnection,
    private readonly runner: FitRunner,
    private readonly campaigns: CampaignStore,
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

  /** The fit of a campaign that is in state `fitting`: its end is the end of the campaign. Safe to repeat. */
  async requestForCampaign(campaign: Campaign): Promise<void> {
    const id = `fit-${campaign.id}`;
    const known = await this.queue.state(id);
    if (known?.state === 'settled' && !known.settled.ok) {
      await this.end(campaign, 'failed', known.settled.reason, null);
      return;
    }
    if (known !== null) return;
    const { deviceClassId, request } = campaign;
    await this.queue.submit([
      { id, payload: { deviceClassId, campaignId: campaign.id, request: request.fit } },
    ]);
  }

  async state(id: string): Promise<FitState> {
    const known = await this.queue.state(id);
    if (known === null) throw notFound('fit', id);
    if (known.state !== 'settled') return { id, state: known.state, modelId: null, reason: null };
    const { settled } = known;
    return settled.ok
      ? { id, state: 'completed', modelId: settled.result.modelId, reason: settled.result.keptBack ?? null }
      : { id, state: 'failed', modelId: null, reason: settled.reason };
  }

  private async fit(job: FitJob): Promise<FitResult> {
    const model = await this.metrics.timed(() => this.runner.run(job));
    const modelId = model.id ?? '';
    const keptBack = model.status === 'candidate' ? model.statusReason : null;
    await this.audit.append({
      // A model that is published again, after a crash, is the same model and the same entry.
      id: `published-${modelId}`,
      at: new Date().toISOString(),
      actor: { kind: 'system', tokenId: null, name: 'fit' },
      action: keptBack === null ? 'models.publish' : 'models.keep-back',
      targetId: modelId,
      status: 201,
      requestId: null,
      address: null,
    });
    const campaign = job.campaignId === null ? null : await this.campaigns.get(job.campaignId);
    if (campaign !== null) {
      const what = keptBack === null ? 'published' : `kept back as a candidate, ${keptBack}`;
      await this.end(campaign, 'completed', `model ${modelId} ${what}`, modelId);
    }
    return { modelId, ...(keptBack !== null && { keptBack }) };
  }

  private async end(
    campaign: Campaign,
    state: 'completed' | 'failed',
    reason: string,
    modelId: string | null,
  ): Promise<void> {
    const text = state === 'failed' ? `no model could be fitted: ${reason}` : reason;
    try {
      await this.campaigns.transition(
        campaign.id,
        'fitting',
        { state, at: new Date().toISOString(), reason: text },
        modelId === null ? {} : { modelId },
      );
    } catch (error) {
      // Cancelled meanwhile, or ended by another process: the model stays published all the same.
      if (!(error instanceof StoreError && error.code === 'conflict')) throw error;
    }
  }
}
