import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@alphaflops/measure';

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wait: (durationMs) => setTimeout(durationMs),
};
