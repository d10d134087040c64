import type { Campaign, CampaignRound, Forecast } from '@alphaflops/contracts';
import { forecastOf, hasTarget, repeatedShapes, roundsToCome, specsOfAllRounds } from '@alphaflops/planning';

type InRounds = Pick<
  Campaign,
  'state' | 'history' | 'request' | 'rounds' | 'repeats' | 'plannedSpecs' | 'plannedSlots'
>;

export function hasFurtherRound(campaign: Omit<InRounds, 'state' | 'history' | 'plannedSlots'>): boolean {
  const { rounds, repeats, plannedSpecs, request } = campaign;
  if (rounds === undefined) return false;
  // With a target error, shapes are visited again between the rounds; otherwise after the last one.
  if (repeats !== undefined && !hasTarget(campaign)) return false;
  return plannedSpecs < specsOfAllRounds({ rounds, request });
}

/**
 * Whether to request the next round of a campaign with a target error. This is so when all rounds except the newest one are
 * measured, so that devices measure the newest round while the fit of the others runs; and at the end, when all are measured.
 */
export function isNextRoundDue(
  campaign: Omit<InRounds, 'state' | 'history'> & Pick<Campaign, 'targetIds'>,
  recordedSlots: number,
): boolean {
  const { rounds, repeats, request, targetIds, plannedSlots } = campaign;
  if (!hasFurtherRound(campaign)) return recordedSlots >= plannedSlots;
  const ends = rounds?.ends ?? [];
  const newestSpecs = (ends.at(-1) ?? 0) - (ends.at(-2) ?? 0);
  const again = repeats?.revisits.filter(({ afterRound }) => afterRound === ends.length) ?? [];
  const visits = again.reduce((sum, { specIndexes }) => sum + specIndexes.length, 0);
  return recordedSlots >= plannedSlots - (newestSpecs * request.replicates + visits) * targetIds.length;
}

/** Whether the time limit of a campaign is used up. */
export function isTimeUp({ state, request, history }: InRounds, now: number): boolean {
  const { maxSeconds } = request.budget;
  return maxSeconds !== undefined && state === 'running' && runningMs({ history }, now) >= maxSeconds * 1_000;
}

/** Expected measurements of a campaign, including future rounds and second visits while they are possible. */
export function totalSlotsOf(
  campaign: Omit<InRounds, 'state'> & Pick<Campaign, 'targetIds'>,
  forecast: Forecast | null = null,
): number {
  const { request, targetIds, rounds, repeats, history, plannedSlots, plannedSpecs } = campaign;
  const isOver = history.some(({ state }) => state === 'fitting');
  if (isOver || (repeats !== undefined && !hasTarget(campaign))) return plannedSlots;
  const specs = rounds === undefined ? plannedSpecs : specsOfAllRounds({ rounds, request });
  // Replicates already count as further visits.
  const again = request.replicates === 1 ? repeatedShapes(request.repeats, specs) : 0;
  const most = (specs * request.replicates + again) * targetIds.length;
  if (forecast?.moreShapes == null) return most;
  // The fit behind the forecast used all rounds except the two newest ones.
  const fittedSpecs = rounds?.ends.at(-3) ?? 0;
  const slots = (fittedSpecs + forecast.moreShapes) * request.replicates * targetIds.length;
  return Math.min(most, Math.max(plannedSlots, slots));
}

/** Forecast for the error of a running campaign with a target. @param slotsPerSecond null: unknown */
export function campaignForecast(
  campaign: InRounds & Pick<Campaign, 'learning' | 'noiseFloor' | 'targetIds' | 'stop'>,
  slotsPerSecond: number | null,
): Forecast | null {
  const { request, learning = [], noiseFloor, rounds, plannedSpecs, targetIds, stop } = campaign;
  const { targetError } = request.budget;
  if (targetError === undefined || stop !== undefined || campaign.state !== 'running') return null;
  const newest = learning.at(-1);
  const fittedSpecs = rounds?.ends.at(-3) ?? plannedSpecs;
  return forecastOf({
    ...{ learning, targetError, noiseFloor: noiseFloor ?? null },
    // Samples that the device class had before count as measured too.
    budgetShapes: (newest?.shapes ?? 0) + specsOfAllRounds(campaign) - fittedSpecs,
    shapesPerSecond:
      slotsPerSecond === null ? null : slotsPerSecond / (request.replicates * targetIds.length),
  });
}

/** Progress of a campaign that plans in rounds; null for others. */
export function roundOf(campaign: InRounds, recordedSlots: number): CampaignRound | null {
  const { rounds, request, state, history, plannedSpecs, plannedSlots } = campaign;
  if (rounds === undefined || request.design.name !== 'adaptive' || hasTarget(campaign)) return null;
  const number = rounds.ends.length;
  const isOver = history.some((change) => change.state === 'fitting');
  const budgetSpecs = request.budget.specs;
  const toCome = isOver ? 0 : roundsToCome(request.design, rounds, { budgetSpecs, plannedSpecs });
  const isPlanningNext = state === 'running' && hasFurtherRound(campaign) && recordedSlots >= plannedSlots;
  return { number, of: number + toCome, isPlanningNext };
}

/** Running time of a campaign until `now` in milliseconds, without its pauses. */
export function runningMs({ history }: Pick<Campaign, 'history'>, now: number): number {
  return history.reduce((sum, { state, at }, index) => {
    if (state !== 'running') return sum;
    const next = history[index + 1];
    return sum + (next === undefined ? now : Date.parse(next.at)) - Date.parse(at);
  }, 0);
}
