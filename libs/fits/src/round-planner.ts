import {
  type Campaign,
  type DeviceClass,
  type LearningPoint,
  percent,
  type PlanRoundResult,
  type Sample,
} from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import { fitRowOf, rowOfSample } from '@alphaflops/dataset';
import type { FitSample } from '@alphaflops/models';
import { hasTarget, limitsOf, nextTargetRound, reasonToStop, specsOfAllRounds } from '@alphaflops/planning';
import { CampaignStore, FleetStore, SampleStore } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { constantsOf } from './fit-runner.js';
import { FitThreads } from './fit-threads.js';
import { spentOn, type Spent } from './spent.js';

/** Number of specs per write to the store. */
const SPEC_PAGE = 5_000;
/** A round has fewer specs than this. */
const MAX_ROUND_SPECS = 1_000_000;

/** Measurements of the rounds so far. */
interface Measured {
  /** Samples for the choice and the fit, without test shapes. */
  readonly measured: FitSample[];
  /** Samples of shapes that only judge. */
  readonly test: FitSample[];
  readonly spent: Spent;
}

/** Chosen specs, already in the store or to be stored. */
interface Chosen {
  readonly specs: readonly ConvSpec[];
  readonly excluded: Readonly<Record<string, number>>;
  readonly reason: string;
}

/**
 * Decides how a campaign that measures in rounds continues. It stores the specs of the next round; the campaign adds
 * them to its plan when it reads the result.
 */
@Injectable()
export class RoundPlanner {
  private readonly logger = new Logger('rounds');

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly fleet: FleetStore,
    private readonly threads: FitThreads,
  ) {}

  /** Chooses and stores the specs of round `round` (2, 3, …). The result has the reason when it plans no round. */
  async plan(campaignId: string, round: number): Promise<PlanRoundResult> {
    const campaign = await this.campaigns.get(campaignId);
    if (campaign?.rounds === undefined) {
      return { planned: false, reason: `there is no campaign ${campaignId} that measures in rounds` };
    }
    if (campaign.rounds.ends.length >= round) {
      return { planned: false, reason: `round ${round} is planned already` };
    }
    const deviceClass = await this.fleet.deviceClass(campaign.deviceClassId);
    const planned = await this.campaigns.specs(campaign.id, 0, campaign.plannedSpecs);
    const measured = await this.measured(campaign, planned.slice(0, campaign.rounds.testSpecs));
    const judged =
      campaign.request.budget.targetError === undefined
        ? null
        : await this.judge(campaign, deviceClass, measured, campaign.request.budget.targetError);
    if (judged !== null && 'planned' in judged) return judged;
    const chosen = await this.choose(campaign, deviceClass, planned, measured, judged);
    if (typeof chosen === 'string') return { planned: false, reason: chosen, ...judged };
    const stored = await this.store(campaign, chosen);
    this.logger.log('planned', { campaign: campaign.id, round, specs: stored.specs });
    return { planned: true, ...stored, ...judged };
  }

  /** The point of the learning curve, or the end of the campaign. Null if nothing can be fitted yet. */
  private async judge(
    campaign: Campaign,
    deviceClass: DeviceClass | null,
    { measured, test, spent }: Measured,
    targetError: number,
  ): Promise<{ learning: LearningPoint } | Extract<PlanRoundResult, { planned: false }> | null> {
    const { request, plannedSpecs, noiseFloor } = campaign;
    const isBudgetUsed = plannedSpecs >= specsOfAllRounds(campaign);
    const startedMs = performance.now();
    const answer = await this.threads.interimFit({
      samples: measured,
      options: {
        ...{ form: request.fit.form, seed: request.fit.seed, test },
        device: deviceClass === null ? {} : constantsOf(deviceClass),
      },
    });
    if (!answer.ok) return isBudgetUsed ? { planned: false, reason: answer.reason } : null;
    const { form, shapes, medianApe, standardError, judgedBy } = answer.fit;
    // With too few shapes to hold out there is no error.
    if (!Number.isFinite(medianApe) || !Number.isFinite(standardError)) return null;
    const learning: LearningPoint = {
      at: new Date().toISOString(),
      ...{ shapes, samples: measured.length + test.length, form, medianApe, standardError, judgedBy },
      ...spent,
      fitSeconds: (performance.now() - startedMs) / 1000,
    };
    const stop = reasonToStop({
      ...{ targetError, newest: learning, noiseFloor: noiseFloor ?? null, isBudgetUsed },
    });
    return stop === null ? { learning } : { planned: false, reason: stop.reason, learning, stop };
  }

  /** Specs of the next round; or, as a string, the reason why no spec can follow. */
  private async choose(
    campaign: Campaign,
    deviceClass: DeviceClass | null,
    planned: readonly ConvSpec[],
    { measured, test }: Measured,
    judged: { learning: LearningPoint } | null,
  ): Promise<Chosen | string> {
    const { id, plannedSpecs, request, rounds } = campaign;
    const count = judged === null && !hasTarget(campaign) ? undefined : countOf(campaign, judged?.learning);
    if (count === 0) return 'all specs are planned';
    // Chosen with the campaign, or by a process that was stopped before it could report them.
    const there = await this.campaigns.specs(id, plannedSpecs, plannedSpecs + (count ?? MAX_ROUND_SPECS));
    if (there.length > 0) {
      const error = judged === null ? '' : `; ${curveText(judged.learning)}`;
      return { specs: there, excluded: {}, reason: `${there.length} specs${error}` };
    }
    if (request.design.name !== 'adaptive' || rounds === undefined) return 'all specs are planned';
    const answer = await this.threads.planRound({
      ...{ design: request.design, rounds, planned, measured, test },
      device: deviceClass === null ? {} : constantsOf(deviceClass),
      limits: limitsOf(request, deviceClass),
      ...(count !== undefined && { count }),
    });
    return answer.ok ? answer.round : answer.reason;
  }

  private async store(
    { id, plannedSpecs: start }: Campaign,
    { specs, excluded, reason }: Chosen,
  ): Promise<{ start: number; specs: number; excluded: Record<string, number>; reason: string }> {
    for (let at = 0; at < specs.length; at += SPEC_PAGE) {
      await this.campaigns.putSpecs(id, start + at, specs.slice(at, at + SPEC_PAGE));
    }
    return { start, specs: specs.length, excluded, reason };
  }

  /**
   * Good samples of the same protocol: the campaign's own and those that the class had before it. So other measurements
   * at the same time do not change the round. Samples of test shapes are separate, also those of other campaigns.
   */
  private async measured(
    { id, createdAt, deviceClassId, protocol }: Campaign,
    test: readonly ConvSpec[],
  ): Promise<Measured> {
    const testKeys = new Set(test.map(specKey));
    const measured: FitSample[] = [];
    const held: FitSample[] = [];
    const counts = ({ campaignId, recordedAt, protocol: used }: Sample): boolean =>
      (campaignId === id || Date.parse(recordedAt) < Date.parse(createdAt)) &&
      used.name === protocol.name &&
      used.version === protocol.version;
    for await (const sample of this.samples.stream({ deviceClassId, outcome: 'ok' })) {
      if (sample.timing === null || !counts(sample)) continue;
      const { spec, timeMs, kernel } = fitRowOf(rowOfSample(sample));
      (testKeys.has(sample.specKey) ? held : measured).push({ spec, timeMs, kernel });
    }
    return { measured, test: held, spent: await spentOn(this.samples.stream({ campaignId: id })) };
  }
}

function curveText({ medianApe, standardError, shapes }: LearningPoint): string {
  return `held-out median error ${percent(medianApe)} ± ${percent(standardError)} with ${shapes} shapes`;
}

function countOf(campaign: Campaign, newest: LearningPoint | undefined): number {
  const { plannedSpecs, learning = [] } = campaign;
  const before = learning.at(-1);
  const seconds =
    newest === undefined || before === undefined ? 0 : (Date.parse(newest.at) - Date.parse(before.at)) / 1000;
  return nextTargetRound({
    planned: plannedSpecs,
    available: specsOfAllRounds(campaign),
    shapesPerSecond: seconds > 0 ? ((newest?.shapes ?? 0) - (before?.shapes ?? 0)) / seconds : null,
    fitSeconds: newest?.fitSeconds ?? 0,
  });
}
