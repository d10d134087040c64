import type { Worker } from '@alphaflops/contracts';
import type { WorkerRecord } from './fleet-store.js';

/** Determines whether a worker is online, offline or stale, from its reported activity and its last heartbeat. */
export function presenceOf(
  worker: WorkerRecord,
  { offlineAfterS, staleAfterS }: { readonly offlineAfterS: number; readonly staleAfterS: number },
  nowMs: number,
): Worker['presence'] {
  const { lastHeartbeatAt, enrolledAt, activity } = worker;
  const secondsSince = (time: string) => (nowMs - Date.parse(time)) / 1000;
  const silentS = lastHeartbeatAt === null ? Number.POSITIVE_INFINITY : secondsSince(lastHeartbeatAt);
  if (activity !== 'stopped' && silentS <= offlineAfterS) return 'online';
  return Math.min(silentS, secondsSince(enrolledAt)) > staleAfterS ? 'stale' : 'offline';
}
