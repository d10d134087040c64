import * as os from 'node:os';
import { DisturbanceWatch } from '@alphaflops/measure';
import type { ExecutorSession } from './executor.js';
import { systemClock } from './system-clock.js';

/** The disturbance watch of a device that shares the host's processors; undefined for other devices. */
export function watchOf(session: ExecutorSession): DisturbanceWatch | undefined {
  const referenceMs = session.referenceMs?.bind(session);
  if (referenceMs === undefined) return undefined;
  return new DisturbanceWatch({
    referenceMs,
    otherProcessorMs,
    processors: os.availableParallelism(),
    clock: systemClock,
  });
}

/** Processor time of all other programs since the machine started, in milliseconds. */
function otherProcessorMs(): number {
  const { user, system } = process.cpuUsage();
  const busyMs = os
    .cpus()
    .reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return busyMs - (user + system) / 1000;
}
