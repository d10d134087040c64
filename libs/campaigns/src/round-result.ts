import type { Campaign, PlanRoundResult } from '@alphaflops/contracts';
import type { CampaignPatch } from '@alphaflops/store';

type Grown = Required<Pick<CampaignPatch, 'plannedSpecs' | 'plannedSlots' | 'rounds' | 'excluded'>>;

/** The plan of a campaign after a further round. */
export function grownBy(
  { plannedSpecs: before, plannedSlots, request, targetIds, rounds, excluded }: Campaign,
  { specs, excluded: leftOut }: PlanRoundResult & { planned: true },
): Grown {
  const plannedSpecs = before + specs;
  return {
    plannedSpecs,
    plannedSlots: plannedSlots + specs * request.replicates * targetIds.length,
    rounds: { testSpecs: 0, ...rounds, ends: [...(rounds?.ends ?? []), plannedSpecs] },
    excluded: sumOf(excluded, leftOut),
  };
}

/** The learning curve of a campaign, with the point of the fit for a round. */
export function learnedFrom(
  { learning = [] }: Campaign,
  { learning: point }: PlanRoundResult,
): Pick<CampaignPatch, 'learning'> {
  return point === undefined ? {} : { learning: [...learning, point] };
}

function sumOf(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...a };
  for (const [reason, count] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}
