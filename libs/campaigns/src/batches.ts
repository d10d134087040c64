import type { Campaign, Revisit } from '@alphaflops/contracts';

/** One batch of a campaign: slots of one replicate. */
export interface PlannedBatch {
  batchIndex: number;
  replicate: number;
  specIndexes: readonly number[];
  /** The device that must measure it, because it measured these shapes before; null: any device of the target. */
  deviceId: string | null;
}

type Layout = Pick<Campaign, 'plannedSpecs' | 'batchSize' | 'request' | 'rounds' | 'repeats'>;

/** Slots that are divided into batches together: the specs of one round, or shapes that are visited again. */
interface Part {
  replicates: number;
  firstReplicate: number;
  firstBatch: number;
  batchesPerReplicate: number;
  count: number;
  deviceId: string | null;
  specIndex(at: number): number;
}

/**
 * Batches of one target. The division of planned slots never changes, because batch ids depend on it. Every round is
 * divided separately, and so are the shapes that are visited again, in the order of the plan.
 */
export function batchCount(campaign: Layout): number {
  const last = partsOf(campaign).at(-1);
  return last === undefined ? 0 : last.firstBatch + last.batchesPerReplicate * last.replicates;
}

/** @throws RangeError if the campaign has no such batch */
export function plannedBatch(campaign: Layout, batchIndex: number): PlannedBatch {
  const part = partsOf(campaign).findLast(({ firstBatch }) => batchIndex >= firstBatch);
  if (part === undefined) throw new RangeError(`there is no batch ${batchIndex}`);
  const { firstReplicate, firstBatch, batchesPerReplicate, count, deviceId } = part;
  const within = batchIndex - firstBatch;
  const from = (within % batchesPerReplicate) * campaign.batchSize;
  const to = Math.min(from + campaign.batchSize, count);
  return {
    batchIndex,
    replicate: firstReplicate + Math.floor(within / batchesPerReplicate),
    specIndexes: Array.from({ length: to - from }, (_, i) => part.specIndex(from + i)),
    deviceId,
  };
}

function partsOf({ plannedSpecs, batchSize, request, rounds, repeats }: Layout): Part[] {
  const parts: Part[] = [];
  let firstBatch = 0;
  const add = (part: Pick<Part, 'replicates' | 'firstReplicate' | 'count' | 'deviceId' | 'specIndex'>) => {
    const batchesPerReplicate = Math.ceil(part.count / batchSize);
    parts.push({ ...part, firstBatch, batchesPerReplicate });
    firstBatch += batchesPerReplicate * part.replicates;
  };
  const ends = rounds?.ends ?? [plannedSpecs];
  const addRevisits = (isDue: (revisit: Revisit) => boolean) => {
    for (const { replicate, deviceId, specIndexes } of repeats?.revisits.filter(isDue) ?? []) {
      const once = { replicates: 1, firstReplicate: replicate, deviceId };
      add({ ...once, count: specIndexes.length, specIndex: (at) => specIndexes[at] as number });
    }
  };
  ends.forEach((end, at) => {
    const from = ends[at - 1] ?? 0;
    const every = { replicates: request.replicates, firstReplicate: 0, deviceId: null };
    add({ ...every, count: end - from, specIndex: (offset) => from + offset });
    addRevisits(({ afterRound }) => afterRound === at + 1);
  });
  addRevisits(({ afterRound }) => afterRound === undefined);
  return parts;
}
