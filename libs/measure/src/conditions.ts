import type { Conditions, Protocol } from '@alphaflops/contracts';

/**
 * Throttle reasons that spoil a timing, as executors spell them in `Conditions.throttleReasons` (NVML's names in
 * lower case, with hyphens). Others, such as `gpu-idle` or `applications-clocks-setting`, are kept and do no harm.
 */
export const SPOILING_THROTTLE_REASONS: ReadonlySet<string> = new Set([
  'sw-power-cap',
  'hw-slowdown',
  'hw-thermal-slowdown',
  'hw-power-brake-slowdown',
  'sw-thermal-slowdown',
]);

/** Why times taken under these conditions are not the device's own, or null. Unknown conditions are not suspicious. */
export function throttling(conditions: Conditions, protocol: Protocol): string | null {
  const reasons = conditions.throttleReasons.filter((reason) => SPOILING_THROTTLE_REASONS.has(reason));
  if (reasons.length > 0) return `the device reports ${reasons.join(', ')}`;
  const { smClockMhz: clock, maxSmClockMhz: max } = conditions;
  if (clock !== null && max !== null && clock < protocol.minClockShare * max) {
    return (
      `the clock is at ${clock} MHz, below ${Math.round(100 * protocol.minClockShare)} % ` +
      `of its maximum of ${max} MHz`
    );
  }
  return null;
}
