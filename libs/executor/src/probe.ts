import type { ExecutorReference } from './adapter-module.js';
import { ExecutorChild } from './executor-child.js';
import type { ProbeResult } from './executor.js';
import { whatHappened } from './executor-host.js';

const PROBE_LIMIT_MS = 60_000;
/** A process killed from outside gives no information about its executor, so the probe is repeated. */
const TRIES = 2;

export interface ProbedExecutor extends ExecutorReference {
  readonly result: ProbeResult;
}

/**
 * Probes every executor for its devices, each in a process of its own. For an adapter that is not installed, or a driver that
 * crashes or hangs, the result has the reason.
 *
 * @param references executors; one that does not answer within 60 s has a result with that reason
 * @returns one result for each of them, in their order
 */
export async function probeAll(references: readonly ExecutorReference[]): Promise<ProbedExecutor[]> {
  const probed: ProbedExecutor[] = [];
  for (const reference of references) probed.push({ ...reference, result: await probeOne(reference) });
  return probed;
}

async function probeOne(reference: ExecutorReference): Promise<ProbeResult> {
  for (let tries = 1; ; tries += 1) {
    const child = ExecutorChild.fork(reference);
    const answer = await child.ask({ kind: 'probe' }, PROBE_LIMIT_MS);
    if (answer.kind === 'time-limit') await child.kill();
    else await child.close();
    if (answer.kind === 'reply' && answer.reply.kind === 'probed') return answer.reply.result;
    const isKilled = answer.kind === 'exited' && answer.isKilled;
    if (!isKilled || tries === TRIES) return { ok: false, reason: whatHappened(answer) };
  }
}
