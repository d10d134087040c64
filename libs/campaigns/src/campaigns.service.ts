import type {
  Campaign,
  CampaignPreview,
  CampaignProgress,
  CampaignRequest,
  Page,
  PageQuery,
  StateChange,
} from '@alphaflops/contracts';
import { notFound } from '@alphaflops/http';
import { hasTarget } from '@alphaflops/planning';
import { type CampaignFilter, CampaignStore, SampleStore } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { Lifecycle, recordedOf } from './lifecycle.js';
import { Planner } from './planner.js';
import { previewOf } from './preview.js';
import { campaignForecast, roundOf, runningMs, totalSlotsOf } from './rounds.js';
import { Staffing } from './staffing.js';

/** Number of specs per write to the store. */
const SPEC_PAGE = 5_000;
/** The rate of recording is averaged over this time. */
const RATE_WINDOW_S = 60;

/** Campaigns as users see them. */
@Injectable()
export class CampaignsService {
  private readonly logger = new Logger('campaigns');

  constructor(
    private readonly campaigns: CampaignStore,
    private readonly samples: SampleStore,
    private readonly planner: Planner,
    private readonly lifecycle: Lifecycle,
    private readonly staffing: Staffing,
  ) {}

  /** Plans and stores a campaign; its batches are submitted after the answer. */
  async create(request: CampaignRequest): Promise<Campaign> {
    const { campaign, specs } = await this.planner.plan(request);
    await this.campaigns.create(campaign);
    for (let at = 0; at < specs.length; at += SPEC_PAGE) {
      await this.campaigns.putSpecs(campaign.id, at, specs.slice(at, at + SPEC_PAGE));
    }
    const more = specs.length > campaign.plannedSpecs ? ` of at most ${specs.length}` : '';
    const reason = `${campaign.plannedSpecs}${more} specs planned`;
    const planned = await this.lifecycle.change(campaign, 'planned', reason);
    // If this fails, the reconciler finds the planned campaign and submits it.
    this.lifecycle.run(planned, 'batches submitted', specs).catch((error: unknown) => {
      this.logger.error(`Could not submit ${planned.id} yet: ${String(error)}`);
    });
    return planned;
  }

  /** What `create` would plan. */
  async preview(request: CampaignRequest): Promise<CampaignPreview> {
    const planned = await this.planner.plan(request);
    return previewOf(planned, await this.planner.expectation(planned.campaign.deviceClassId));
  }

  async get(id: string): Promise<Campaign> {
    const campaign = await this.campaigns.get(id);
    if (campaign === null) throw notFound('campaign', id);
    return campaign;
  }

  list(filter: CampaignFilter, page: PageQuery): Promise<Page<Campaign>> {
    return this.campaigns.list(filter, page);
  }

  async progress(id: string): Promise<CampaignProgress> {
    const campaign = await this.get(id);
    const outcomes = await this.samples.counts(id);
    const recordedSlots = recordedOf(outcomes);
    const { state, plannedSlots } = campaign;
    const round = roundOf(campaign, recordedSlots);
    const isPlanning = round?.isPlanningNext === true;
    const rates = isPlanning ? null : await this.rates(campaign);
    const slotsPerSecond = rates?.reduce((sum, rate) => sum + rate.slotsPerSecond, 0) ?? null;
    const forecast = campaignForecast(campaign, slotsPerSecond);
    const totalSlots = campaign.stop === undefined ? totalSlotsOf(campaign, forecast) : recordedSlots;
    // While samples arrive, no check of the workers is needed.
    const isIdle = state === 'running' && plannedSlots > recordedSlots && (slotsPerSecond ?? 0) === 0;
    return {
      ...{ campaignId: id, state, plannedSlots, totalSlots, recordedSlots, outcomes, round, slotsPerSecond },
      devices:
        rates?.flatMap(({ deviceId, ...rate }) => (deviceId === null ? [] : [{ deviceId, ...rate }])) ?? [],
      // Before the first forecast, the number of shapes for a target is unknown.
      remainingSeconds:
        hasTarget(campaign) && forecast === null && state === 'running'
          ? null
          : secondsFor(
              totalSlots - recordedSlots,
              isPlanning ? recordedSlots / (runningMs(campaign, Date.now()) / 1000) : slotsPerSecond,
            ),
      waitingFor: isIdle ? await this.staffing.waitingFor(campaign) : null,
      modelId: campaign.modelId,
      noiseFloor: campaign.noiseFloor ?? null,
      targetError: campaign.request.budget.targetError ?? null,
      learning: campaign.learning ?? [],
      forecast,
      stop: campaign.stop ?? null,
      reason: campaign.history.at(-1)?.reason ?? '',
    };
  }

  /**
   * Slots per second by device, the fastest first. The period is the newest minute, or the time since the start of the newest
   * round if that is shorter. Null while nothing can be recorded.
   */
  private async rates(
    campaign: Campaign,
  ): Promise<{ deviceId: string | null; slotsPerSecond: number }[] | null> {
    const { history } = campaign;
    // With a target error, one round follows the other without a pause.
    const isBegin = ({ state }: StateChange, at: number): boolean =>
      state === 'running' && !(hasTarget(campaign) && history[at - 1]?.state === 'running');
    const began = history.findLast(isBegin);
    if (began === undefined || campaign.state !== 'running') return null;
    const now = Date.now();
    const from = Math.max(now - RATE_WINDOW_S * 1000, Date.parse(began.at));
    if (now - from < 1000) return null;
    const counts = await this.samples.countByDevice(new Date(from).toISOString(), campaign.id);
    return [...counts]
      .map(([deviceId, count]) => ({ deviceId, slotsPerSecond: count / ((now - from) / 1000) }))
      .sort((a, b) => b.slotsPerSecond - a.slotsPerSecond);
  }
}

function secondsFor(slots: number, perSecond: number | null): number | null {
  if (slots === 0) return 0;
  return perSecond === null || perSecond === 0 ? null : slots / perSecond;
}
