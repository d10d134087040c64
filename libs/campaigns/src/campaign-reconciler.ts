import { setTimeout } from 'node:timers/promises';
import type { Campaign, CampaignState } from '@alphaflops/contracts';
import { LeaseDesk, QueueConnection } from '@alphaflops/queue';
import { CampaignStore } from '@alphaflops/store';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CampaignSettings } from './campaign-settings.js';
import { Dispatcher } from './dispatcher.js';
import { Lifecycle } from './lifecycle.js';
import { isTimeUp } from './rounds.js';

/** States of campaigns that may need an action. */
const LIVE: readonly CampaignState[] = ['draft', 'planned', 'running', 'paused', 'fitting'];
/** Pause between two checks. */
const LOOK_EVERY_MS = 1_000;
/** The planner of a draft of this age has ended. Another coordinator may still plan a younger one. */
const DEAD_DRAFT_MS = 10 * 60 * 1000;

/**
 * Keeps campaigns running. At the start, after an outage of Redis, and every second, it compares the store with the
 * queues and adds what is missing. The store is authoritative.
 */
@Injectable()
export class CampaignReconciler implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('campaigns');
  /** Campaigns whose work is in the queues, each with its amount of work. */
  private readonly resumed = new Set<string>();
  /** Time since which Redis was always reachable. */
  private watchingSinceMs = Date.now();
  private readonly stop = new AbortController();
  private looking: Promise<void> = Promise.resolve();
  private readonly troubles = new Map<string, string>();

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly lifecycle: Lifecycle,
    private readonly desk: LeaseDesk,
    private readonly dispatcher: Dispatcher,
    private readonly connection: QueueConnection,
    private readonly settings: CampaignSettings,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.settings.records) return;
    this.connection.onReconnect(() => {
      this.watchingSinceMs = Date.now();
      this.resumed.clear();
    });
    this.looking = this.lookAgainAndAgain();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.looking;
  }

  private async lookAgainAndAgain(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await this.tried('campaigns', () => this.look());
      await setTimeout(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    for (const state of LIVE) {
      let cursor: string | undefined;
      do {
        const page = await this.campaigns.list({ state }, { limit: 100, cursor });
        for (const campaign of page.items) await this.tried(campaign.id, () => this.lookAfter(campaign));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined && !this.stop.signal.aborted);
    }
  }

  /** An error of one campaign must not delay the others. The same error is logged once until it is over. */
  private async tried(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.troubles.delete(what);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== this.troubles.get(what)) this.logger.error(`Cannot check ${what}, retrying: ${text}`);
      this.troubles.set(what, text);
    }
  }

  private async lookAfter(campaign: Campaign): Promise<void> {
    if (this.lifecycle.isStarting(campaign.id)) return;
    if (campaign.state === 'draft' && Date.now() - Date.parse(campaign.createdAt) < DEAD_DRAFT_MS) return;
    if (campaign.state === 'running' || campaign.state === 'paused') {
      // Batches of lost workers return to the queue also if no worker requests work.
      const devices = campaign.repeats?.revisits.flatMap(({ deviceId }) => deviceId ?? []) ?? [];
      for (const id of [...campaign.targetIds, ...devices]) this.desk.queue('measure', id);
    }
    if (isTimeUp(campaign, Date.now())) {
      await this.lifecycle.completeIfDone(campaign.id);
      return;
    }
    // A further round or visit must be submitted, also if the queue is full of work of other campaigns.
    const work = `${campaign.id} ${campaign.plannedSlots}`;
    const isKnown = this.resumed.has(work) || wasSubmittedSince(campaign, this.watchingSinceMs);
    if (isKnown && (await this.isInWork(campaign))) return;
    await this.lifecycle.resumeWork(campaign);
    this.resumed.add(work);
  }

  /** False if a running campaign has nothing left in its queues: then jobs were lost, or the campaign is complete. */
  private async isInWork(campaign: Campaign): Promise<boolean> {
    if (campaign.state === 'paused') return true;
    return campaign.state === 'running' && (await this.dispatcher.isInWork(campaign));
  }
}

/**
 * Whether all of its batches have entered the queues since that time: the campaign was planned later, and the process that
 * submitted its batches set it to running. A resumed campaign, or one with a further round, runs before its batches are
 * submitted. Such campaigns have a longer history.
 */
function wasSubmittedSince({ history }: Campaign, sinceMs: number): boolean {
  const [before, last] = history.slice(-2);
  const isFirstRun = before?.state === 'planned' && last?.state === 'running';
  return isFirstRun && Date.parse(before.at) >= sinceMs;
}
