import type { Campaign, DeviceClass, PlanRoundResult, Sample, StateChange } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import type { FitSample } from '@alphaflops/models';
import type { NextRound, NextRoundRequest } from '@alphaflops/planning';
import { type CampaignPatch, CampaignStore, FleetStore, SampleStore, StoreError } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { constantsOf } from './fit-runner.js';
import { FitThreads } from './fit-threads.js';

/** Specs written to the store in one go. */
const SPEC_PAGE = 5_000;

/** Plans a further round of an adaptive campaign from what its rounds so far have measured. */
@Injectable()
export class RoundPlanner {
  private readonly logger = new Logger('rounds');

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly fleet: FleetStore,
    private readonly threads: FitThreads,
  ) {}

  /**
   * Chooses and stores the specs of round `round` (2, 3, …). What was measured decides, so that a round planned twice is
   * the same round, stored once.
   */
  async plan(campaignId: string, round: number): Promise<PlanRoundResult> {
    const campaign = await this.campaigns.get(campaignId);
    if (campaign?.rounds === undefined || campaign.request.design.name !== 'adaptive') {
      return { planned: false, reason: `there is no adaptive campaign ${campaignId}` };
    }
    const { rounds } = campaign;
    if (rounds.ends.length >= round) return { planned: true };
    const deviceClass = await this.fleet.deviceClass(campaign.deviceClassId);
    const { design } = campaign.request;
    const planned = await this.campaigns.specs(campaign.id, 0, campaign.plannedSpecs);
    const answer = await this.threads.planRound({
      ...(await this.measured(campaign, planned.slice(0, rounds.testSpecs))),
      ...{ design, rounds, planned },
      device: deviceClass === null ? {} : constantsOf(deviceClass),
      limits: limitsOf(campaign, deviceClass),
    });
    if (!answer.ok) return { planned: false, reason: answer.reason };
    return this.store(campaign, round, answer.round);
  }

  /**
   * Good samples of the same protocol: the campaign's own and those that the class had before it, so that the same round
   * comes out whatever else is measured meanwhile. Test shapes are apart, whoever measured them.
   */
  private async measured({ id, createdAt, deviceClassId, protocol }: Campaign, test: readonly ConvSpec[]) {
    const testKeys = new Set(test.map(specKey));
    const measured: FitSample[] = [];
    const held: FitSample[] = [];
    const counts = ({ campaignId, recordedAt, protocol: used }: Sample): boolean =>
      (campaignId === id || Date.parse(recordedAt) < Date.parse(createdAt)) &&
      used.name === protocol.name &&
      used.version === protocol.version;
    for await (const sample of this.samples.stream({ deviceClassId, outcome: 'ok' })) {
      if (sample.timing === null || !counts(sample)) continue;
      const own = { spec: sample.spec, timeMs: sample.timing.timeMs };
      if (testKeys.has(sample.specKey)) held.push(own);
      else measured.push(own);
    }
    return { measured, test: held };
  }

  /** Specs first, then the round that counts them in: a crash in between leaves the round to be planned again. */
  private async store(campaign: Campaign, round: number, next: NextRound): Promise<PlanRoundResult> {
    const { specs, excluded, reason } = next;
    const { id, plannedSpecs: start, plannedSlots: slotsBefore, request, targetIds, rounds } = campaign;
    try {
      for (let at = 0; at < specs.length; at += SPEC_PAGE) {
        await this.campaigns.putSpecs(id, start + at, specs.slice(at, at + SPEC_PAGE));
      }
    } catch (error) {
      // A process of another version planned this round otherwise, and was stopped before it could count it in.
      if (isConflict(error)) return { planned: false, reason: error.message };
      throw error;
    }
    const plannedSpecs = start + specs.length;
    const patch = {
      plannedSpecs,
      plannedSlots: plannedSpecs * request.replicates * targetIds.length,
      rounds: { testSpecs: rounds?.testSpecs ?? 0, ends: [...(rounds?.ends ?? []), plannedSpecs] },
      excluded: sumOf(campaign.excluded, excluded),
    };
    await this.countIn(id, slotsBefore, `round ${round}: ${reason}`, patch);
    this.logger.log('planned', { campaign: id, round, specs: specs.length });
    return { planned: true };
  }

  /** In the state that the campaign is in: an operator may pause or resume it just now. Not when it has ended. */
  private async countIn(
    id: string,
    slotsBefore: number,
    reason: string,
    patch: CampaignPatch,
  ): Promise<void> {
    for (;;) {
      const now = await this.campaigns.get(id);
      if (now === null || now.plannedSlots !== slotsBefore) return;
      const { state } = now;
      if (state !== 'running' && state !== 'paused') return;
      const change: StateChange = { state, at: new Date().toISOString(), reason };
      try {
        await this.campaigns.transition(id, { state, plannedSlots: slotsBefore }, change, patch);
        return;
      } catch (error) {
        // Changed since it was read.
        if (!isConflict(error)) throw error;
      }
    }
  }
}

function limitsOf(
  { request: { budget, constraints } }: Campaign,
  deviceClass: DeviceClass | null,
): NextRoundRequest['limits'] {
  const memoryBytes = deviceClass?.memoryBytes ?? null;
  return {
    specs: budget.specs,
    ...(constraints && { constraints }),
    ...(memoryBytes !== null && { memoryBytes }),
    ...(budget.maxSpecMs !== undefined && { maxSpecMs: budget.maxSpecMs }),
  };
}

const isConflict = (error: unknown): error is StoreError =>
  error instanceof StoreError && error.code === 'conflict';

function sumOf(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...a };
  for (const [reason, count] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}
