import type { Campaign, CampaignState } from '@alphaflops/contracts';
import { JobQueue, QueueConnection } from '@alphaflops/queue';
import { CampaignStore, everyItem, FleetStore, presenceOf } from '@alphaflops/store';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';

/** The settings that the metrics use. */
export abstract class DeploymentSettings {
  abstract readonly offlineAfterS: number;
  abstract readonly staleAfterS: number;
}

const LIVE: readonly CampaignState[] = ['planned', 'running', 'paused', 'fitting'];
const PRESENCES = ['online', 'offline', 'stale'] as const;
const DESIRED_STATES = ['active', 'paused', 'draining', 'revoked'] as const;
const PAGE = 500;

type Depths = Record<'waiting' | 'active', number>;
type Countable = Pick<JobQueue<'measure'>, 'counts' | 'close'>;

/**
 * The contents of store and queues, read when the metrics are requested. Every coordinator reports the same values: use the
 * maximum over them, not the sum.
 */
@Injectable()
export class DeploymentMetrics implements OnApplicationShutdown {
  private readonly open = new Map<string, Countable>();

  constructor(
    registry: Registry,
    private readonly campaigns: CampaignStore,
    private readonly fleet: FleetStore,
    private readonly settings: DeploymentSettings,
    private readonly connection: QueueConnection,
  ) {
    const gauge = (name: string, help: string, labelNames: string[], look: (into: Gauge) => Promise<void>) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        async collect() {
          this.reset();
          await look(this);
        },
      });
    gauge('alphaflops_campaigns', 'Campaigns that have not ended, by state', ['state'], async (into) => {
      const live = await this.liveCampaigns();
      for (const state of LIVE)
        into.set({ state }, live.filter((campaign) => campaign.state === state).length);
    });
    gauge(
      'alphaflops_workers',
      'Workers by presence and by the state that the operator desires',
      ['presence', 'desired_state'],
      (into) => this.countWorkers(into),
    );
    gauge('alphaflops_queue_jobs', 'Jobs by queue and state: waiting, active', ['queue', 'state'], (into) =>
      this.countJobs(into),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.open.values()].map((queue) => queue.close()));
  }

  private async countWorkers(into: Gauge): Promise<void> {
    for (const presence of PRESENCES) {
      for (const state of DESIRED_STATES) into.set({ presence, desired_state: state }, 0);
    }
    for await (const worker of everyItem((page) => this.fleet.workers(page), PAGE)) {
      const presence = presenceOf(worker, this.settings, Date.now());
      into.inc({ presence, desired_state: worker.desiredState });
    }
  }

  private async countJobs(into: Gauge): Promise<void> {
    const targets = new Set((await this.liveCampaigns()).flatMap(({ targetIds }) => targetIds));
    const queues: [string, Countable][] = [
      ['fit', this.queue('fit', () => new JobQueue('fit', this.connection))],
      ['plan-round', this.queue('plan-round', () => new JobQueue('plan-round', this.connection))],
      ...[...targets].map((targetId): [string, Countable] => [
        `measure ${targetId}`,
        this.queue(targetId, () => new JobQueue('measure', this.connection, { targetId })),
      ]),
    ];
    for (const [queue, opened] of queues) {
      const depths: Depths = await opened.counts();
      for (const [state, jobs] of Object.entries(depths)) into.set({ queue, state }, jobs);
    }
  }

  private queue(key: string, open: () => Countable): Countable {
    const opened = this.open.get(key) ?? open();
    this.open.set(key, opened);
    return opened;
  }

  private async liveCampaigns(): Promise<Campaign[]> {
    const live: Campaign[] = [];
    for (const state of LIVE) {
      for await (const campaign of everyItem((page) => this.campaigns.list({ state }, page), PAGE))
        live.push(campaign);
    }
    return live;
  }
}
