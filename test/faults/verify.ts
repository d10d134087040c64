import type { Campaign, Sample } from '@alphaflops/contracts';
import type { Stores } from '@alphaflops/store';

/** Maximum number of slots without exactly one sample that are listed individually. */
const SHOWN = 5;

/** Returns a description of all problems; empty when no sample is lost or duplicated. */
export async function verifyStored(stores: Stores, campaign: Campaign): Promise<string[]> {
  const problems: string[] = [];
  const wrongSlots: string[] = [];
  const slots = new Map<string, number>();
  const outcomes: Record<string, number> = {};
  const batches = new Map<string, number>();
  let stored = 0;
  for await (const sample of stores.samples.stream({ campaignId: campaign.id })) {
    stored += 1;
    add(slots, `${sample.targetId}/${sample.specIndex}/${sample.replicate}`);
    add(batches, `${sample.targetId}/${sample.batchIndex}`);
    outcomes[sample.outcome] = (outcomes[sample.outcome] ?? 0) + 1;
    if (sample.outcome !== 'ok' && (sample.reason ?? '') === '') {
      problems.push(`slot ${sample.specIndex}/${sample.replicate} has ${sample.outcome} without a reason`);
    }
  }
  for (const targetId of campaign.targetIds) {
    for (let spec = 0; spec < campaign.plannedSpecs; spec += 1) {
      for (let replicate = 0; replicate < campaign.request.replicates; replicate += 1) {
        const times = slots.get(`${targetId}/${spec}/${replicate}`) ?? 0;
        if (times !== 1) wrongSlots.push(`spec ${spec}, replicate ${replicate} has ${times} samples`);
      }
    }
    for (const { replicate, specIndexes } of campaign.repeats?.revisits ?? []) {
      for (const spec of specIndexes) {
        const times = slots.get(`${targetId}/${spec}/${replicate}`) ?? 0;
        if (times !== 1) wrongSlots.push(`spec ${spec}, visit ${replicate} has ${times} samples`);
      }
    }
  }
  if (campaign.repeats === undefined) problems.push('no shape was visited again');
  problems.push(...wrongSlots.slice(0, SHOWN));
  if (wrongSlots.length > SHOWN) problems.push(`… and so on: ${wrongSlots.length} slots in all`);
  if (stored !== campaign.plannedSlots) {
    problems.push(`${stored} samples are stored for ${campaign.plannedSlots} planned slots`);
  }
  for (const [outcome, counted] of Object.entries(await stores.samples.counts(campaign.id))) {
    const there = outcomes[outcome] ?? 0;
    if (counted !== there) problems.push(`${counted} are counted as ${outcome}, ${there} are stored`);
  }
  for await (const { targetId, batchIndex, recorded } of stores.samples.batchCounts(campaign.id)) {
    const there = batches.get(`${targetId}/${batchIndex}`) ?? 0;
    if (recorded !== there) problems.push(`batch ${batchIndex} counts ${recorded}, ${there} are stored`);
    batches.delete(`${targetId}/${batchIndex}`);
  }
  if (batches.size > 0) problems.push(`${batches.size} batches have samples and no count`);
  return problems;
}

/** Counts samples that are not ok although their spec can be measured, by reason. */
export async function costOfFaults(
  stores: Stores,
  campaignId: string,
  isHealthy: (sample: Sample) => boolean,
): Promise<Map<string, number>> {
  const reasons = new Map<string, number>();
  for await (const sample of stores.samples.stream({ campaignId })) {
    if (sample.outcome !== 'ok' && isHealthy(sample))
      add(reasons, `${sample.outcome}: ${sample.reason ?? ''}`);
  }
  return reasons;
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
