import type { Campaign, CampaignRound } from '@alphaflops/contracts';
import { repeatedShapes, roundsToCome } from '@alphaflops/planning';

type InRounds = Pick<
  Campaign,
  'state' | 'history' | 'request' | 'rounds' | 'repeats' | 'plannedSpecs' | 'plannedSlots'
>;

export function hasFurtherRound({ rounds, repeats, plannedSpecs, request }: InRounds): boolean {
  return rounds !== undefined && repeats === undefined && plannedSpecs < request.budget.specs;
}

/** Measurements that a campaign comes to: those of rounds and second visits to come, too, until none can come any more. */
export function totalSlotsOf(campaign: Omit<InRounds, 'state'> & Pick<Campaign, 'targetIds'>): number {
  const { request, targetIds, rounds, repeats, history, plannedSlots, plannedSpecs } = campaign;
  if (repeats !== undefined || history.some(({ state }) => state === 'fitting')) return plannedSlots;
  const specs = rounds === undefined ? plannedSpecs : request.budget.specs;
  // Replicates are further visits already.
  const again = request.replicates === 1 ? repeatedShapes(request.repeats, specs) : 0;
  return (specs * request.replicates + again) * targetIds.length;
}

/** Where a campaign that plans in rounds stands; null for others. */
export function roundOf(campaign: InRounds, recordedSlots: number): CampaignRound | null {
  const { rounds, request, state, history, plannedSpecs, plannedSlots } = campaign;
  if (rounds === undefined || request.design.name !== 'adaptive') return null;
  const number = rounds.ends.length;
  const isOver = history.some((change) => change.state === 'fitting');
  const budgetSpecs = request.budget.specs;
  const toCome = isOver ? 0 : roundsToCome(request.design, rounds, { budgetSpecs, plannedSpecs });
  const isPlanningNext = state === 'running' && hasFurtherRound(campaign) && recordedSlots >= plannedSlots;
  return { number, of: number + toCome, isPlanningNext };
}

/** Milliseconds that a campaign has been running until `now`, its pauses left out. */
export function runningMs({ history }: Pick<Campaign, 'history'>, now: number): number {
  return history.reduce((sum, { state, at }, index) => {
    if (state !== 'running') return sum;
    const next = history[index + 1];
    return sum + (next === undefined ? now : Date.parse(next.at)) - Date.parse(at);
  }, 0);
}
