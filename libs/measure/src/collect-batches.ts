import type { Protocol } from '@alphaflops/contracts';
import type { DisturbanceWatch } from './disturbance.js';
import type { Environment } from './measure.js';
import { FEWEST_BATCHES, stoppingRules, type StoppingRule } from './stopping-rules.js';
import type { Stopwatch } from './stopwatch.js';
import { TimedBatches } from './timed-batches.js';
import type { TimedConv } from './timed-conv.js';
import { unreadable } from './warm-up.js';

export interface CollectedBatches {
  /** Those that count; the disturbed ones where no other was seen. */
  readonly batches: TimedBatches;
  /** `time-limit`: the stopwatch ran out first. */
  readonly stoppedBy: StoppingRule['name'] | 'time-limit';
  /** Why too few batches were undisturbed, or null. */
  readonly disturbed: string | null;
  /** Largest disturbance around the batches that count; null where it is not watched. */
  readonly factor: number | null;
}

/**
 * Times batches until a stopping rule is met, by the undisturbed ones alone where the protocol watches for disturbance.
 *
 * @throws MeasureError `invalid-time`
 */
export async function collectBatches(
  conv: TimedConv,
  stopwatch: Stopwatch,
  inner: number,
  protocol: Protocol,
  { disturbance }: Environment,
): Promise<CollectedBatches> {
  const rules = stoppingRules(protocol);
  const metBy = (batches: TimedBatches) => rules.find((rule) => rule.isMet(batches));
  const counted = new TimedBatches(inner);
  const limit = protocol.maxDisturbance;
  if (limit === undefined || disturbance === undefined) {
    let met: StoppingRule | undefined;
    while (met === undefined && (await timeBatch(conv, stopwatch, inner, counted))) met = metBy(counted);
    return { batches: counted, stoppedBy: met?.name ?? 'time-limit', disturbed: null, factor: null };
  }

  await disturbance.begin();
  const disturbed = new TimedBatches(inner);
  let [countedFactor, disturbedFactor] = [0, 0];
  let before = await disturbance.factor(limit);
  for (;;) {
    const batch = new TimedBatches(inner);
    if (!(await timeBatch(conv, stopwatch, inner, batch))) break;
    const after = await disturbance.factor(limit);
    const factor = Math.max(before, after);
    const isUndisturbed = factor <= limit;
    const kept = isUndisturbed ? counted : disturbed;
    batch.timesMs.forEach((timeMs, i) => {
      kept.add(timeMs, batch.states[i]);
    });
    if (isUndisturbed) countedFactor = Math.max(countedFactor, factor);
    else disturbedFactor = Math.max(disturbedFactor, factor);
    const met = metBy(counted);
    if (met !== undefined) {
      return { batches: counted, stoppedBy: met.name, disturbed: null, factor: countedFactor };
    }
    before = isUndisturbed ? after : await untilUndisturbed(disturbance, limit, after, stopwatch);
    if (before > limit && disturbed.timesMs.length >= FEWEST_BATCHES) break;
  }
  if (disturbed.timesMs.length === 0) {
    return { batches: counted, stoppedBy: 'time-limit', disturbed: null, factor: countedFactor };
  }
  const most = counted.timesMs.length >= FEWEST_BATCHES ? counted : disturbed;
  const all = counted.timesMs.length + disturbed.timesMs.length;
  const times = Number.isFinite(disturbedFactor)
    ? `up to ${(1 + disturbedFactor).toFixed(2)} times its best`
    : 'an unknown multiple of its best, for this machine was never seen quiet';
  const why = `${disturbed.timesMs.length} of ${all} batches were disturbed: the reference convolution took ${times}; ${disturbance.cause}`;
  return { batches: most, stoppedBy: 'total-time', disturbed: why, factor: disturbedFactor };
}

/** False when such a batch cannot be expected to end in time. */
async function timeBatch(
  conv: TimedConv,
  stopwatch: Stopwatch,
  inner: number,
  batches: TimedBatches,
): Promise<boolean> {
  const timeMs = await stopwatch.timeMs(inner);
  if (timeMs === null) return false;
  if (timeMs === 0) throw unreadable(inner);
  batches.add(timeMs, conv.batchState?.());
  return true;
}

/** Waits for an undisturbed moment as long as it is worth it; returns the last disturbance seen. */
async function untilUndisturbed(
  watch: DisturbanceWatch,
  limit: number,
  lastFactor: number,
  stopwatch: Stopwatch,
): Promise<number> {
  let factor = lastFactor;
  // Some of the time limit is left for the batches themselves.
  while (factor > limit && stopwatch.leftMs > stopwatch.limitMs / 3 && (await watch.pause())) {
    factor = await watch.factor(limit);
  }
  return factor;
}
