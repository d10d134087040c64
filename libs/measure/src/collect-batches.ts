import type { Protocol, Timing } from '@alphaflops/contracts';
import { quantile } from 'simple-statistics';
import { UNDISTURBED_QUANTILE, type Disturbance, type DisturbanceWatch } from './disturbance.js';
import type { Environment } from './environment.js';
import { MIN_BATCHES, stoppingRuleMet } from './stopping-rules.js';
import type { Stopwatch } from './stopwatch.js';
import { TimedBatches } from './timed-batches.js';
import type { BatchState, TimedConv } from './timed-conv.js';
import { unreadable } from './warm-up.js';

/** Timing stops after this multiple of the batches, and of the time, that an undisturbed sample needs. */
const MAX_EFFORT = 4;

export interface CollectedBatches {
  /** The undisturbed batches; the disturbed ones when fewer than `MIN_BATCHES` were undisturbed. */
  readonly batches: TimedBatches;
  /** `time-limit`: the stopwatch ran out first. */
  readonly stoppedBy: Timing['stoppedBy'] | 'time-limit';
  /** Why too few batches were undisturbed, or null. */
  readonly disturbed: string | null;
  /** Largest disturbance around the batches that count; null when nothing watches for disturbance. */
  readonly factor: number | null;
}

/**
 * Times batches until a stopping rule is met. If the protocol watches for disturbance, only undisturbed batches count.
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
  const limit = protocol.maxDisturbance;
  if (limit === undefined || disturbance === undefined) {
    const counted = new TimedBatches(inner);
    let stoppedBy: Timing['stoppedBy'] | null = null;
    while (stoppedBy === null) {
      const batch = await timeBatch(conv, stopwatch, inner);
      if (batch === null) break;
      counted.add(batch.timeMs, batch.state);
      stoppedBy = stoppingRuleMet(counted, protocol);
    }
    return { batches: counted, stoppedBy: stoppedBy ?? 'time-limit', disturbed: null, factor: null };
  }

  await disturbance.begin();
  const watched: WatchedBatch[] = [];
  let totalMs = 0;
  let before = await disturbance.read(limit);
  for (;;) {
    const batch = await timeBatch(conv, stopwatch, inner);
    if (batch === null) break;
    totalMs += inner * batch.timeMs;
    const after = await disturbance.read(limit);
    watched.push({ ...batch, beside: worse(before, after) });
    const { counted, factor } = undisturbedOf(watched, inner, limit);
    const stoppedBy = stoppingRuleMet(counted, protocol);
    if (stoppedBy !== null) return { batches: counted, stoppedBy, disturbed: null, factor };
    const { minBatches, maxTotalMs } = protocol;
    if (watched.length >= MAX_EFFORT * minBatches && totalMs >= MAX_EFFORT * maxTotalMs) break;
    before = after.isUndisturbed ? after : await untilUndisturbed(disturbance, limit, after, stopwatch);
    if (!before.isUndisturbed && watched.length - counted.timesMs.length >= MIN_BATCHES) break;
  }
  const { counted, disturbed, factor, disturbedFactor } = undisturbedOf(watched, inner, limit);
  if (disturbed.timesMs.length === 0) {
    return { batches: counted, stoppedBy: 'time-limit', disturbed: null, factor };
  }
  const most = counted.timesMs.length >= MIN_BATCHES ? counted : disturbed;
  const count = `${disturbed.timesMs.length} of ${watched.length} batches were disturbed`;
  const why = `${count}: ${effectOf(disturbedFactor, limit)}; ${disturbance.cause}`;
  // If the reference is not slower, other programs disturb the batches by an unknown share.
  const share = disturbedFactor > limit ? disturbedFactor : Infinity;
  return { batches: most, stoppedBy: 'total-time', disturbed: why, factor: share };
}

function effectOf(factor: number, limit: number): string {
  const what = 'they or the reference convolution took';
  if (factor <= limit)
    return 'other programs were busy, and the reference convolution does not always show their effect';
  if (factor < Infinity) return `${what} up to ${(1 + factor).toFixed(2)} times as long as undisturbed`;
  return `${what} an unknown multiple of the undisturbed time, which is not known because this machine was never quiet`;
}

interface Batch {
  /** Time of one convolution, in milliseconds. */
  readonly timeMs: number;
  readonly state: BatchState | null;
}

interface WatchedBatch extends Batch {
  /** The larger disturbance of the readings before and after the batch. */
  readonly beside: Disturbance;
}

interface Sorted {
  readonly counted: TimedBatches;
  readonly disturbed: TimedBatches;
  /** Largest factor of the readings beside the batches that count. */
  readonly factor: number;
  /** Largest factor of the readings beside the other batches, or of the times of these batches themselves. */
  readonly disturbedFactor: number;
}

function worse(a: Disturbance, b: Disturbance): Disturbance {
  return { factor: Math.max(a.factor, b.factor), isUndisturbed: a.isUndisturbed && b.isUndisturbed };
}

/**
 * Separates undisturbed batches from disturbed ones. A batch is disturbed if a reading beside it was disturbed. A batch is also
 * disturbed if it took longer than the lower quartile of the batches between undisturbed readings: only this check finds a
 * burst between two readings.
 */
function undisturbedOf(watched: readonly WatchedBatch[], inner: number, limit: number): Sorted {
  const timesMs = watched.filter(({ beside }) => beside.isUndisturbed).map(({ timeMs }) => timeMs);
  const usualMs = timesMs.length === 0 ? Infinity : quantile(timesMs, UNDISTURBED_QUANTILE);
  const [counted, disturbed] = [new TimedBatches(inner), new TimedBatches(inner)];
  let [factor, disturbedFactor] = [0, 0];
  for (const { timeMs, state, beside } of watched) {
    const ownFactor = usualMs === Infinity ? 0 : timeMs / usualMs - 1;
    if (beside.isUndisturbed && ownFactor <= limit) {
      counted.add(timeMs, state);
      factor = Math.max(factor, beside.factor);
    } else {
      disturbed.add(timeMs, state);
      disturbedFactor = Math.max(disturbedFactor, beside.factor, ownFactor);
    }
  }
  return { counted, disturbed, factor, disturbedFactor };
}

/** Null when such a batch would probably not end before the deadline. */
async function timeBatch(conv: TimedConv, stopwatch: Stopwatch, inner: number): Promise<Batch | null> {
  const timeMs = await stopwatch.timeMs(inner);
  if (timeMs === null) return null;
  if (timeMs === 0) throw unreadable(inner);
  return { timeMs, state: conv.batchState?.() ?? null };
}

/** Waits for an undisturbed moment, until the watch gives up or two thirds of the time limit are used. Returns the last reading. */
async function untilUndisturbed(
  watch: DisturbanceWatch,
  limit: number,
  last: Disturbance,
  stopwatch: Stopwatch,
): Promise<Disturbance> {
  let reading = last;
  // The last third of the time limit is for the batches themselves.
  while (!reading.isUndisturbed && stopwatch.leftMs > stopwatch.limitMs / 3 && (await watch.pause())) {
    reading = await watch.read(limit);
  }
  return reading;
}
