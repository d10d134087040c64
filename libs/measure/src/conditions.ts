import type { Conditions, Protocol } from '@alphaflops/contracts';
import type { BatchState } from './timed-conv.js';

/**
 * Thermal and hardware slowdowns, by their names in `Conditions.throttleReasons` (NVML's names in lower case, with hyphens).
 * Times during a slowdown do not describe the device. Other reasons are stored with the sample and have no effect here.
 */
export const SLOWDOWN_REASONS: ReadonlySet<string> = new Set([
  'hw-slowdown',
  'hw-thermal-slowdown',
  'hw-power-brake-slowdown',
  'sw-thermal-slowdown',
]);

/** The device holds its clock down to stay within its power limit: the normal state of many GPUs under load. */
const POWER_LIMIT_REASON = 'sw-power-cap';

/** Readings of the device before, during and after the timed batches. */
export interface Observed {
  readonly before: Conditions;
  readonly after: Conditions;
  /** One reading during each batch; empty if the executor cannot read the device during a batch. */
  readonly batches: readonly BatchState[];
}

/** Whether the power limit reduced the clock in any reading. */
export function isPowerLimited(observed: Observed): boolean {
  return reasonsOf(observed).has(POWER_LIMIT_REASON);
}

/**
 * Why times under these conditions do not describe the device, or null. A low clock is such a reason, unless the power limit
 * explains it. Unknown conditions are not.
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

/** Digits after the decimal point of a stored disturbance: a hundredth of a per cent. */
const DISTURBANCE_DIGITS = 4;

/**
 * Conditions with the disturbance around the batches that count.
 *
 * @param share infinite: the undisturbed time is not known; null: nothing watches for disturbance
 */
export function withDisturbance(conditions: Conditions, share: number | null): Conditions {
  if (share === null) return conditions;
  const disturbance = Number.isFinite(share) ? Number(Math.max(0, share).toFixed(DISTURBANCE_DIGITS)) : null;
  return { ...conditions, disturbance };
}
