import {
  CAMPAIGN_TRANSITIONS,
  type Campaign,
  type CampaignState,
  type CampaignStop,
  type OutcomeCounts,
  type PlanRoundResult,
  type StateChange,
} from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { ApiProblem, notFound } from '@alphaflops/http/problem';
import { hasTarget } from '@alphaflops/planning';
import {
  type CampaignBefore,
  type CampaignPatch,
  CampaignStore,
  SampleStore,
  StoreError,
} from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { Dispatcher } from './dispatcher.js';
import { Repeats } from './repeats.js';
import { hasFurtherRound, isNextRoundDue, isTimeUp } from './rounds.js';
import { grownBy, learnedFrom } from './round-result.js';

/** How the fit of a campaign ended. `candidateReason`: why its model is a candidate; absent: it is published. */
export type CampaignFit =
  | { readonly ok: true; readonly modelId: string; readonly candidateReason?: string | undefined }
  | { readonly ok: false; readonly reason: string };

/** The actions after the last sample. The fits feature implements them. */
export abstract class CampaignFits {
  /** Requests the fit of a campaign in state `fitting`, or its result. Safe to repeat. Null while it is running. */
  abstract request(campaign: Campaign): Promise<CampaignFit | null>;

  /**
   * Requests the next round of the campaign, or its result. Safe to repeat. Null while it is running.
   */
  abstract requestRound(campaign: Campaign): Promise<PlanRoundResult | null>;
}

/** Changes of state of campaigns, and the actions of each change. */
@Injectable()
export class Lifecycle {
  /** Campaigns that this process is starting. */
  private readonly starting = new Set<string>();

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly dispatcher: Dispatcher,
    private readonly repeats: Repeats,
    private readonly fits: CampaignFits,
  ) {}

  /** Submits the batches of a planned campaign and sets it to running. `specs` are its specs, if available. */
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

  /** @throws ApiProblem 409 if the state of the campaign does not allow it */
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

  /** When every slot is stored, continues with the next round, with further visits of some shapes, or with the fit. */
  async completeIfDone(id: string): Promise<void> {
    const campaign = await this.campaigns.get(id);
    if (campaign === null || (campaign.state !== 'running' && campaign.state !== 'paused')) return;
    const recordedSlots = recordedOf(await this.samples.counts(id));
    await unlessOvertaken(() => this.goOn(campaign, recordedSlots));
  }

  private async goOn(campaign: Campaign, recordedSlots: number): Promise<void> {
    const { state, plannedSlots, request } = campaign;
    if (isTimeUp(campaign, Date.now())) {
      const reason = `the time limit of ${request.budget.maxSeconds ?? 0} s is used up, with ${recordedSlots} measurements stored`;
      await this.stop(campaign, { kind: 'max-time', reason });
      return;
    }
    const isAllStored = recordedSlots >= plannedSlots;
    const isRoundDue = hasTarget(campaign)
      ? isNextRoundDue(campaign, recordedSlots)
      : isAllStored && hasFurtherRound(campaign);
    let reason = `all ${plannedSlots} measurements are stored`;
    if (isRoundDue) {
      // Resuming the campaign requests it again.
      if (state === 'paused') return;
      const result = await this.fits.requestRound(campaign);
      if (result === null) return;
      if (result.planned) {
        await this.addRound(campaign, result);
        return;
      }
      if (result.stop !== undefined) {
        await this.stop(campaign, result.stop, learnedFrom(campaign, result));
        return;
      }
      reason += `; no further round: ${result.reason}`;
    }
    if (!isAllStored) return;
    const visits = await this.repeats.next(campaign);
    if (visits === null) {
      const noiseFloor = await this.repeats.noiseFloor(campaign);
      await this.fit(
        await this.change(campaign, 'fitting', reason, noiseFloor === null ? {} : { noiseFloor }),
      );
      return;
    }
    // Resuming the campaign requests it again.
    if (state === 'paused') return;
    const { reason: why, ...patch } = visits;
    await this.measureMore(campaign, why, patch);
  }

  /** Adds a round with stored specs to the campaign, and the visits that are measured with it. */
  private async addRound(campaign: Campaign, result: PlanRoundResult & { planned: true }): Promise<void> {
    // Requested before another coordinator added this round.
    if (result.start !== campaign.plannedSpecs) return;
    const grown = grownBy(campaign, result);
    if (!hasTarget(campaign)) {
      await this.measureMore(campaign, `round ${grown.rounds.ends.length}: ${result.reason}`, grown);
      return;
    }
    // The newest round before this one is still being measured.
    const measuredSpecs = campaign.rounds?.ends.at(-2) ?? 0;
    const visits = await this.repeats.besideRound({ ...campaign, ...grown }, measuredSpecs);
    const noiseFloor = await this.repeats.noiseFloor(campaign);
    await this.measureMore(campaign, `round ${grown.rounds.ends.length}: ${result.reason}`, {
      ...grown,
      ...(visits !== null && { repeats: visits.repeats, plannedSlots: visits.plannedSlots }),
      ...(noiseFloor !== null && { noiseFloor }),
      ...learnedFrom(campaign, result),
    });
  }

  /** Continues with the fit of the measured samples, and withdraws batches that no worker has started. */
  private async stop(campaign: Campaign, stop: CampaignStop, patch: CampaignPatch = {}): Promise<void> {
    const noiseFloor = await this.repeats.noiseFloor(campaign);
    const stopped = await this.change(campaign, 'fitting', stop.reason, {
      ...patch,
      ...(noiseFloor !== null && { noiseFloor }),
      stop,
    });
    await this.fit(stopped);
  }

  private async measureMore(campaign: Campaign, reason: string, patch: CampaignPatch): Promise<void> {
    const { state, plannedSlots } = campaign;
    const change = { state, at: new Date().toISOString(), reason };
    const planned = await this.transition(campaign, { state, plannedSlots }, change, patch);
    if (planned.plannedSlots > plannedSlots) await this.dispatcher.submitMissing(planned);
    else await this.completeIfDone(campaign.id);
  }

  /** Withdraws open work and marks contradicting visits before any fit, also after a crash. */
  private async fit(campaign: Campaign): Promise<void> {
    if (campaign.stop !== undefined) await this.dispatcher.withdraw(campaign);
    await this.repeats.markNoisy(campaign);
    const fit = await this.fits.request(campaign);
    if (fit === null) return;
    if (!fit.ok) {
      await this.change(campaign, 'failed', `no model could be fitted: ${fit.reason}`);
      return;
    }
    const { modelId, candidateReason } = fit;
    const status = candidateReason === undefined ? 'published' : `stored as a candidate: ${candidateReason}`;
    await this.change(campaign, 'completed', `model ${modelId} ${status}`, { modelId });
  }

  /** After a start, a lost queue or a crash: repeats the actions that a campaign in this state still needs. */
  async resumeWork(campaign: Campaign): Promise<void> {
    switch (campaign.state) {
      case 'draft':
        // Its plan was never stored completely, and its request got no answer.
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
        await unlessOvertaken(() => this.fit(campaign));
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

/** Another coordinator was faster, or the operator cancelled the campaign. In both cases nothing is left to do. */
async function unlessOvertaken(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiProblem && error.status === 409)) throw error;
  }
}

function notAllowed(campaign: Campaign, state: CampaignState): ApiProblem {
  return new ApiProblem(
    409,
    'wrong-state',
    `Campaign ${campaign.id} is ${campaign.state}; it cannot become ${state}.`,
  );
}
