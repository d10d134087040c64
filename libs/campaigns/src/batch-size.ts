import type { Protocol, Sample } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { leastMs } from '@alphaflops/measure';

/** So long should a batch last: what a kill costs at most, and long against what handing out a batch costs. */
const BATCH_MS = 10_000;
/** Shorter ones would cost more to hand out than they save at the end of a campaign, when devices run out of work. */
const SHORTEST_MS = 300;
/** As many batches each device gets at least, so that at the end of a campaign none works long while others are idle. */
const BATCHES_PER_DEVICE = 32;
/** Most ConvSpecs of a batch: bounds what a result takes of memory. */
export const MAX_SPECS = 1_000;
/** … when nothing was measured yet, and the guess may be wrong. */
export const MAX_GUESSED = 100;
/** A spec takes about this multiple of the shortest time of its protocol, because it is also prepared, checked and warmed up. */
const GUESS_FACTOR = 2;

/** A guess looks at no more specs than this. */
const MAX_LOOKED_AT = 500;

/** @param work `specMs`: milliseconds that one spec occupies a device */
export function batchSize(work: { specMs: number; mostSpecs: number; slotsPerDevice: number }): number {
  const lasting = (ms: number) => Math.floor(ms / work.specMs);
  const share = Math.ceil(work.slotsPerDevice / BATCHES_PER_DEVICE);
  const size = Math.min(lasting(BATCH_MS), Math.max(lasting(SHORTEST_MS), share));
  return Math.max(1, Math.min(size, work.mostSpecs));
}

/** Mean time from the beginning of a spec to that of the next one of its batch; null where no two are of one batch. */
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

/** Where nothing was measured: by the protocol, and by a model where there is one. */
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
