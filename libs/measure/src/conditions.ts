import type { Conditions, Protocol } from '@alphaflops/contracts';
import type { BatchState } from './timed-conv.js';

/**
 * Thermal and hardware slowdowns, as executors spell them in `Conditions.throttleReasons` (NVML's names in lower case,
 * with hyphens). Times taken under them are not the device's own. Other reasons are kept and do no harm.
 */
export const SLOWDOWN_REASONS: ReadonlySet<string> = new Set([
  'hw-slowdown',
  'hw-thermal-slowdown',
  'hw-power-brake-slowdown',
  'sw-thermal-slowdown',
]);

/** The device holds its clock down to stay within its power limit: the normal state of many GPUs under load. */
const POWER_LIMIT_REASON = 'sw-power-cap';

/** What was read of the device before, during and after the timed batches. */
export interface Observed {
  readonly before: Conditions;
  readonly after: Conditions;
  /** Read while each batch ran; empty where the executor cannot. */
  readonly batches: readonly BatchState[];
}

/** Whether the power limit held the clock down at any moment. */
export function isPowerLimited(observed: Observed): boolean {
  return reasonsOf(observed).has(POWER_LIMIT_REASON);
}

/**
 * Why times taken under these conditions are not the device's own, or null. Unknown conditions are not suspicious. A low
 * clock is, unless the power limit explains it.
 *
 * @returns the reason in words
 */
export function throttling(observed: Observed, protocol: Protocol): string | null {
  const slowdowns = [...reasonsOf(observed)].filter((reason) => SLOWDOWN_REASONS.has(reason));
  if (slowdowns.length > 0) return `the device reports ${slowdowns.join(', ')}`;
  if (isPowerLimited(observed)) return null;
  const { before, after } = observed;
  return lowClock(before, protocol) ?? lowClock(after, protocol);
}

function reasonsOf({ before, after, batches }: Observed): Set<string> {
  return new Set([before, ...batches, after].flatMap(({ throttleReasons }) => throttleReasons));
}

function lowClock({ smClockMhz: clock, maxSmClockMhz: max }: Conditions, protocol: Protocol): string | null {
  if (clock === null || max === null || clock >= protocol.minClockShare * max) return null;
  return (
    `the clock is at ${clock} MHz, below ${Math.round(100 * protocol.minClockShare)} % ` +
    `of its maximum of ${max} MHz`
  );
}

/** Digits after the point that are kept of a disturbance: a hundredth of a per cent. */
const DISTURBANCE_DIGITS = 4;

/**
 * Conditions with the disturbance around the batches that count.
 *
 * @param share infinite: nothing is known to compare with; null: it is not watched
 */
export function withDisturbance(conditions: Conditions, share: number | null): Conditions {
  if (share === null) return conditions;
  const disturbance = Number.isFinite(share) ? Number(Math.max(0, share).toFixed(DISTURBANCE_DIGITS)) : null;
  return { ...conditions, disturbance };
}
