import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms`, or at once when the signal fires. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const wait: Wait = async (ms, signal) => {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};

/** A growing delay: `firstMs`, twice that, and so on up to `lastMs`, as a function of how often it failed (from 1). */
export function backOffMs(failures: number, firstMs: number, lastMs: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), lastMs);
}

/** Delays before another request to a coordinator that does not answer. */
export function retryMs(failures: number): number {
  return backOffMs(failures, 1_000, 30_000);
}
