import type { Campaign, PlanRoundResult } from '@alphaflops/contracts';
import { JobConsumer, JobQueue, QueueConnection } from '@alphaflops/queue';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { FitSettings } from './fits.service.js';
import { RoundPlanner } from './round-planner.js';

/** Time for which the result of a round's planning is available. A campaign reads it every few seconds. */
const KEEP_SETTLED_S = 24 * 3600;

/** Further rounds of campaigns are requested here. A process that fits plans them. */
@Injectable()
export class RoundsService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('rounds');
  private opened: JobQueue<'plan-round'> | null = null;
  private consumer: JobConsumer<'plan-round'> | null = null;

  constructor(
    private readonly settings: FitSettings,
    private readonly connection: QueueConnection,
    private readonly planner: RoundPlanner,
  ) {}

  private get queue(): JobQueue<'plan-round'> {
    this.opened ??= new JobQueue('plan-round', this.connection, { keepSettledS: KEEP_SETTLED_S });
    return this.opened;
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.settings.fits) return;
    this.consumer = new JobConsumer(
      'plan-round',
      this.connection.address,
      ({ campaignId, round }) => this.planner.plan(campaignId, round),
      {
        onError: (error) => {
          this.logger.warn(error.message);
        },
      },
    );
    await this.consumer.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.consumer?.finish();
    await this.opened?.close();
  }

  /**
   * Requests the next round of the campaign. Safe to repeat: the same round is the same job. A job that failed, for
   * example because the store was unreachable, starts again. @returns its result; null while it is running
   */
  async request(campaign: Campaign): Promise<PlanRoundResult | null> {
    const round = (campaign.rounds?.ends.length ?? 1) + 1;
    const id = `round-${campaign.id}-${round}`;
    const known = await this.queue.state(id);
    if (known?.state === 'settled') {
      const { settled } = known;
      if (settled.ok) return settled.result;
      this.logger.error(`Planning round ${round} of ${campaign.id} failed, trying again: ${settled.reason}`);
      await this.queue.withdraw([id]);
    } else if (known !== null) return null;
    await this.queue.submit([{ id, payload: { campaignId: campaign.id, round } }]);
    return null;
  }
}
