import type { Campaign } from '@alphaflops/contracts';

/** One batch of a campaign: slots of one replicate, a run of neighbouring specs. */
export interface BatchRange {
  batchIndex: number;
  replicate: number;
  /** Spec positions from ≤ i < to. */
  from: number;
  to: number;
}

type Layout = Pick<Campaign, 'plannedSpecs' | 'batchSize' | 'request' | 'rounds'>;

/** Specs of one round, and the number of its first batch. */
interface Round {
  start: number;
  end: number;
  firstBatch: number;
  batchesPerReplicate: number;
}

/**
 * Batches of one target. The cut never changes once specs are planned, because batch ids depend on it: every round is
 * cut on its own, and its batches are numbered after those of the rounds before.
 */
export function batchCount(campaign: Layout): number {
  const last = roundsOf(campaign).at(-1);
  return last === undefined ? 0 : last.firstBatch + last.batchesPerReplicate * campaign.request.replicates;
}

/** @throws RangeError when the campaign has no such batch */
export function batchRange(campaign: Layout, batchIndex: number): BatchRange {
  const round = roundsOf(campaign).findLast(({ firstBatch }) => batchIndex >= firstBatch);
  if (round === undefined) throw new RangeError(`there is no batch ${batchIndex}`);
  const { start, end, firstBatch, batchesPerReplicate } = round;
  const within = batchIndex - firstBatch;
  const from = start + (within % batchesPerReplicate) * campaign.batchSize;
  return {
    batchIndex,
    replicate: Math.floor(within / batchesPerReplicate),
    from,
    to: Math.min(from + campaign.batchSize, end),
  };
}

function roundsOf({ plannedSpecs, batchSize, request, rounds }: Layout): Round[] {
  let [start, firstBatch] = [0, 0];
  return (rounds?.ends ?? [plannedSpecs]).map((end) => {
    const round = { start, end, firstBatch, batchesPerReplicate: Math.ceil((end - start) / batchSize) };
    start = end;
    firstBatch += round.batchesPerReplicate * request.replicates;
    return round;
  });
}
