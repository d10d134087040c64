import { bytes, macs, type ConvSpec } from '@alphaflops/conv';
import { z } from 'zod';

/** Shortest time of a convolution in milliseconds: 1 ns, three cycles of a processor at 3 GHz. */
export const MIN_TIME_MS = 1e-6;

/** Longest time of a convolution in milliseconds: one hour, the largest time limit that a protocol may set. */
export const MAX_TIME_MS = 3_600_000;

/**
 * More multiply-adds in a second than any device computes. The fastest single device on sale, Cerebras' wafer WSE-3, is
 * stated at 125 PFLOP/s, sparsity included: 6.25e16 multiply-adds (Cerebras, announcement of the CS-3, 13 March 2024). NVIDIA
 * states 20 PFLOP/s in FP4 with sparsity for a B200 ("Blackwell architecture" brief, 2024), and AMD 10 PFLOP/s for an MI355X.
 */
export const MAX_MACS_PER_SECOND = 1e17;

/**
 * More bytes in a second than any memory gives. The WSE-3's on-chip memory is stated at 21 PB/s, 2.1e16 B/s (the same
 * announcement); the HBM3e of a B200, and that of an MI355X, at 8 TB/s.
 */
export const MAX_BYTES_PER_SECOND = 1e17;

/** A time in milliseconds that is possible for some convolution; {@link implausibleTime} checks it for one convolution. */
export const plausibleMs = z
  .number()
  .gt(0)
  .refine((timeMs) => timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS, {
    error: ({ input }) => rangeProblem(input as number) ?? '',
  });

/** Why a convolution cannot take this time, in milliseconds, on any device; or null. Times ≤ 0 and NaN also have a reason. */
export function implausibleTime(spec: ConvSpec, timeMs: number): string | null {
  const outside = rangeProblem(timeMs);
  if (outside !== null) return outside;
  const seconds = timeMs / 1000;
  const work = macs(spec);
  if (work / seconds > MAX_MACS_PER_SECOND) {
    return (
      `${timeMs} ms for ${short(work)} multiply-adds would be ${short(work / seconds)} in a second, and no device ` +
      `computes ${short(MAX_MACS_PER_SECOND)}: are these milliseconds?`
    );
  }
  // A stride beyond the kernel leaves input unread; all of the weights and of the output is moved.
  const { weights, output } = bytes(spec);
  const moved = weights + output;
  if (moved / seconds > MAX_BYTES_PER_SECOND) {
    return (
      `${timeMs} ms for ${short(moved)} bytes would be ${short(moved / seconds)} in a second, and no memory ` +
      `gives ${short(MAX_BYTES_PER_SECOND)}: are these milliseconds?`
    );
  }
  return null;
}

/** Why no convolution takes this time, in milliseconds; or null. */
export function rangeProblem(timeMs: number): string | null {
  if (!(timeMs > 0)) return `a time must be above 0 ms, not ${timeMs}`;
  if (timeMs < MIN_TIME_MS) {
    return `${timeMs} ms is shorter than any convolution takes (${MIN_TIME_MS} ms, 1 ns): are these milliseconds?`;
  }
  if (timeMs > MAX_TIME_MS) {
    return `${timeMs} ms is longer than a convolution may take (${MAX_TIME_MS} ms, one hour): are these milliseconds?`;
  }
  return null;
}

function short(value: number): string {
  return value.toExponential(1);
}
