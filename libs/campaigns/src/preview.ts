import type { CampaignPreview } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { leastMs } from '@alphaflops/measure';
import type { PlannedCampaign } from './planner.js';
import { totalSlotsOf } from './rounds.js';

/** Maximum number of ConvSpecs that a preview shows and uses for its estimate of the time. */
const SHOWN_SPECS = 1_000;

/** The plan as an answer. `expectedMs`: milliseconds of one convolution; null without data about the device. */
export function previewOf(
  { campaign, specs }: PlannedCampaign,
  expectedMs: ((spec: ConvSpec) => number) | null,
): CampaignPreview {
  const { deviceClassId, protocol, plannedSpecs, plannedSlots, rounds, excluded } = campaign;
  // Later rounds are chosen from shapes like those of the first round.
  const totalSlots = totalSlotsOf(campaign);
  const shown = evenly(specs, SHOWN_SPECS);
  const shownMs = shown.reduce((sum, spec) => sum + leastMs(protocol, expectedMs?.(spec) ?? 0), 0);
  return {
    ...{ deviceClassId, protocol, plannedSpecs, plannedSlots, totalSlots, excluded },
    ...(rounds && { rounds }),
    specs: shown,
    leastSeconds: ((shownMs / shown.length) * totalSlots) / campaign.targetIds.length / 1000,
    timesFrom: expectedMs === null ? 'protocol' : 'model',
  };
}

function evenly<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, at) => items[Math.floor(at * step)] as T);
}
