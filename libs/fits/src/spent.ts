import type { LearningPoint, Sample } from '@alphaflops/contracts';

/** The cost of measuring. */
export type Spent = Pick<LearningPoint, 'deviceSeconds' | 'energyJ'>;

/** The samples of one batch by one device. */
interface Span {
  firstMs: number;
  lastMs: number;
  count: number;
  /** Sum of the power readings in watts; null: some sample has none. */
  powerW: number | null;
}

/**
 * Device time and energy of the samples of a campaign. A batch lasts from the beginning of its first sample to the
 * beginning of its last one, plus the average time of a sample. Its energy is that time multiplied by the mean of its
 * power readings.
 */
export async function spentOn(samples: AsyncIterable<Sample>): Promise<Spent> {
  const spans = new Map<string, Span>();
  for await (const { deviceId, targetId, batchIndex, attempt, startedAt, conditions } of samples) {
    if (deviceId === null) continue;
    const batch = `${deviceId} ${targetId} ${batchIndex} ${attempt}`;
    const ms = Date.parse(startedAt);
    const { firstMs, lastMs, count, powerW } = spans.get(batch) ?? newSpan(ms);
    const reading = conditions?.after.powerW ?? conditions?.before.powerW ?? null;
    spans.set(batch, {
      firstMs: Math.min(firstMs, ms),
      lastMs: Math.max(lastMs, ms),
      count: count + 1,
      powerW: powerW === null || reading === null ? null : powerW + reading,
    });
  }
  let deviceSeconds = 0;
  let energyJ: number | null = 0;
  for (const { firstMs, lastMs, count, powerW } of spans.values()) {
    const seconds = count === 1 ? 0 : ((lastMs - firstMs) / 1000) * (count / (count - 1));
    deviceSeconds += seconds;
    energyJ = energyJ === null || powerW === null ? null : energyJ + (powerW / count) * seconds;
  }
  return { deviceSeconds, energyJ: spans.size === 0 ? null : energyJ };
}

function newSpan(ms: number): Span {
  return { firstMs: ms, lastMs: ms, count: 0, powerW: 0 };
}
