import type { Protocol, Sample } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { leastMs } from '@alphaflops/measure';

/** Duration of a batch. It is the largest loss of a kill, and much longer than the overhead of a batch. */
const BATCH_MS = 10_000;
/** Minimum duration of a batch. Shorter batches would cost more overhead than they save at the end of a campaign. */
const SHORTEST_MS = 300;
/**
 * Minimum number of batches per device, so that at the end of a campaign no device works long while others are idle.
 */
const BATCHES_PER_DEVICE = 32;
/** Maximum number of ConvSpecs in a batch. It limits the memory of a result. */
export const MAX_SPECS = 1_000;
/** The same limit before the first measurement, because the estimate may be wrong. */
export const MAX_GUESSED = 100;
/** A spec takes about this multiple of the shortest time of its protocol, because it is also prepared, checked and warmed up. */
const GUESS_FACTOR = 2;

/** Maximum number of specs in an estimate. */
const MAX_LOOKED_AT = 500;

/** @param work `specMs`: milliseconds that one spec occupies a device */
export function batchSize(work: { specMs: number; mostSpecs: number; slotsPerDevice: number }): number {
  const lasting = (ms: number) => Math.floor(ms / work.specMs);
  const share = Math.ceil(work.slotsPerDevice / BATCHES_PER_DEVICE);
  const size = Math.min(lasting(BATCH_MS), Math.max(lasting(SHORTEST_MS), share));
  return Math.max(1, Math.min(size, work.mostSpecs));
}

/**
 * Mean time from the beginning of a spec to the beginning of the next one in its batch; null if no batch has two specs.
 */
export function msPerSpec(samples: readonly Sample[]): number | null {
  const spans = new Map<string, { firstMs: number; lastMs: number; count: number }>();
  for (const { deviceId, targetId, batchIndex, attempt, startedAt } of samples) {
    if (deviceId === null) continue;
    const batch = `${deviceId} ${targetId} ${batchIndex} ${attempt}`;
    const ms = Date.parse(startedAt);
    const { firstMs, lastMs, count } = spans.get(batch) ?? { firstMs: ms, lastMs: ms, count: 0 };
    spans.set(batch, { firstMs: Math.min(firstMs, ms), lastMs: Math.max(lastMs, ms), count: count + 1 });
  }
  const spent = [...spans.values()].reduce((sum, { firstMs, lastMs }) => sum + lastMs - firstMs, 0);
  const steps = [...spans.values()].reduce((sum, { count }) => sum + count - 1, 0);
  // Specs too short for the clock count as a tenth of a millisecond.
  return steps === 0 ? null : Math.max(0.1, spent / steps);
}

/** The estimate before the first measurement: from the protocol, and from a model if there is one. */
export function guessedMs(
  specs: readonly ConvSpec[],
  protocol: Protocol,
  expectedMs: ((spec: ConvSpec) => number) | null,
): number {
  const step = Math.max(1, Math.floor(specs.length / MAX_LOOKED_AT));
  const some = specs.filter((_, at) => at % step === 0);
  const sum = some.reduce((total, spec) => total + leastMs(protocol, expectedMs?.(spec) ?? 0), 0);
  return GUESS_FACTOR * (sum / some.length) + (protocol.energyWindowMs ?? 0);
}
