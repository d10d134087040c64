import {
  CAMPAIGN_TRANSITIONS,
  type Campaign,
  type CampaignState,
  type OutcomeCounts,
  type StateChange,
} from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { ApiProblem, notFound } from '@alphaflops/http';
import {
  type CampaignBefore,
  type CampaignPatch,
  CampaignStore,
  SampleStore,
  StoreError,
} from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { Dispatcher } from './dispatcher.js';
import { type NextVisits, Repeats } from './repeats.js';
import { hasFurtherRound } from './rounds.js';

/** What happens after the last sample; the fits feature provides it. */
export abstract class CampaignFits {
  /** Asks for the fit of a campaign that is in state `fitting`. Safe to repeat. */
  abstract request(campaign: Campaign): Promise<void>;

  /**
   * Asks for the next round of a campaign whose planned specs are all measured. It is there when the campaign has more
   * specs planned. Safe to repeat. Answers why there can be none, or null.
   */
  abstract requestRound(campaign: Campaign): Promise<string | null>;
}

/** Changes of state of campaigns, and what has to be done with each. */
@Injectable()
export class Lifecycle {
  /** Campaigns that this process is setting to run. */
  private readonly starting = new Set<string>();

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly dispatcher: Dispatcher,
    private readonly repeats: Repeats,
    private readonly fits: CampaignFits,
  ) {}

  /** Submits the batches of a planned campaign and sets it running; `specs` are its own, where they are at hand. */
  async run(campaign: Campaign, reason: string, specs?: readonly ConvSpec[]): Promise<Campaign> {
    this.starting.add(campaign.id);
    try {
      await this.dispatcher.submitMissing(campaign, specs);
      return await this.change(campaign, 'running', reason);
    } finally {
      this.starting.delete(campaign.id);
    }
  }

  isStarting(id: string): boolean {
    return this.starting.has(id);
  }

  /** @throws ApiProblem 409 when the campaign is in a state that does not allow it */
  async pause(id: string, reason: string): Promise<Campaign> {
    const paused = await this.change(await this.get(id), 'paused', reason);
    await this.dispatcher.withdraw(paused);
    return paused;
  }

  async resume(id: string, reason: string): Promise<Campaign> {
    const campaign = await this.get(id);
    if (campaign.state !== 'paused') throw notAllowed(campaign, 'running');
    const running = await this.change(campaign, 'running', reason);
    await this.dispatcher.submitMissing(running);
    await this.completeIfDone(id);
    return running;
  }

  async cancel(id: string, reason: string): Promise<Campaign> {
    const cancelled = await this.change(await this.get(id), 'cancelled', reason);
    await this.dispatcher.withdraw(cancelled);
    return cancelled;
  }

  /** Goes on to the next round, to further visits of some shapes, or to the fit, when every slot is stored. */
  async completeIfDone(id: string): Promise<void> {
    const campaign = await this.campaigns.get(id);
    if (campaign === null || (campaign.state !== 'running' && campaign.state !== 'paused')) return;
    const outcomes = await this.samples.counts(id);
    if (recordedOf(outcomes) < campaign.plannedSlots) return;
    let reason = `all ${campaign.plannedSlots} measurements are stored`;
    if (hasFurtherRound(campaign)) {
      // Resuming it asks again.
      if (campaign.state === 'paused') return;
      const failure = await this.fits.requestRound(campaign);
      if (failure === null) return;
      reason += `; no further round: ${failure}`;
    }
    const visits = await this.repeats.next(campaign);
    try {
      if (visits === null) {
        const noiseFloor = await this.repeats.noiseFloor(campaign);
        await this.fit(
          await this.change(campaign, 'fitting', reason, noiseFloor === null ? {} : { noiseFloor }),
        );
        return;
      }
      // Resuming it asks again.
      if (campaign.state === 'paused') return;
      await this.visitAgain(campaign, visits);
    } catch (error) {
      // Another coordinator was faster, or the operator has cancelled: either way it is taken care of.
      if (!(error instanceof ApiProblem && error.status === 409)) throw error;
    }
  }

  private async visitAgain(campaign: Campaign, { reason, ...patch }: NextVisits): Promise<void> {
    const { state, plannedSlots } = campaign;
    const change = { state, at: new Date().toISOString(), reason };
    const planned = await this.transition(campaign, { state, plannedSlots }, change, patch);
    if (planned.plannedSlots > plannedSlots) await this.dispatcher.submitMissing(planned);
    else await this.completeIfDone(campaign.id);
  }

  /** Visits that contradict each other are out before anything is fitted, also after a crash. */
  private async fit(campaign: Campaign): Promise<void> {
    await this.repeats.markNoisy(campaign);
    await this.fits.request(campaign);
  }

  /** After a start, a lost queue or a crash: does again whatever a campaign in this state still needs. */
  async resumeWork(campaign: Campaign): Promise<void> {
    switch (campaign.state) {
      case 'draft':
        // Its plan was never stored in full, and whoever asked for it got no answer.
        await this.change(campaign, 'failed', 'the coordinator stopped while planning; create it again');
        return;
      case 'planned':
        await this.run(campaign, 'resumed after a restart');
        return;
      case 'running':
        await this.dispatcher.submitMissing(campaign);
        await this.completeIfDone(campaign.id);
        return;
      case 'fitting':
        await this.fit(campaign);
        return;
      case 'paused':
      case 'completed':
      case 'failed':
      case 'cancelled':
    }
  }

  async change(
    campaign: Campaign,
    state: CampaignState,
    reason: string,
    patch?: CampaignPatch,
  ): Promise<Campaign> {
    if (!CAMPAIGN_TRANSITIONS[campaign.state].includes(state)) throw notAllowed(campaign, state);
    const change = { state, at: new Date().toISOString(), reason };
    return await this.transition(campaign, campaign.state, change, patch);
  }

  private async transition(
    { id }: Campaign,
    from: CampaignBefore,
    change: StateChange,
    patch?: CampaignPatch,
  ): Promise<Campaign> {
    try {
      return await this.campaigns.transition(id, from, change, patch);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'conflict') {
        throw notAllowed(await this.get(id), change.state);
      }
      throw error;
    }
  }

  private async get(id: string): Promise<Campaign> {
    const campaign = await this.campaigns.get(id);
    if (campaign === null) throw notFound('campaign', id);
    return campaign;
  }
}

/** Slots with a sample. Drifted ones have left theirs. */
export function recordedOf(outcomes: OutcomeCounts): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0) - outcomes.drifted;
}

function notAllowed(campaign: Campaign, state: CampaignState): ApiProblem {
  return new ApiProblem(
    409,
    'wrong-state',
    `Campaign ${campaign.id} is ${campaign.state}; it cannot become ${state}.`,
  );
}
